-- Operations: one verb on many jobs.
-- Compatible from: 10.
CREATE TABLE windlass.operation (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    -- Which time that it was taken up; 0 if nobody ever did.
    nonce bigint NOT NULL,
    -- From when on somebody may take it up; NULL while it stands still, and once it has ended.
    free_at timestamptz,
    ended_at timestamptz,
    -- What everybody sees of it, as JSON.
    record text NOT NULL
);

CREATE INDEX operation_free ON windlass.operation (free_at) WHERE free_at IS NOT NULL;

CREATE INDEX operation_ended ON windlass.operation (ended_at);

-- The jobs that are meant, until it ends: pieces of ids, one behind the other.
CREATE TABLE windlass.operation_jobs (
    operation bigint NOT NULL,
    piece bigint NOT NULL,
    ids bytea NOT NULL,
    PRIMARY KEY (operation, piece)
);
