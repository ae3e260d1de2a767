-- Operations: one verb on many jobs.
CREATE TABLE operation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    -- Which time that it was taken up; 0 if nobody ever did.
    nonce INTEGER NOT NULL,
    -- From when on somebody may take it up; NULL while it stands still, and once it has ended.
    free_at INTEGER,
    ended_at INTEGER,
    -- What everybody sees of it, as JSON.
    record TEXT NOT NULL
) STRICT;

CREATE INDEX operation_free ON operation (free_at) WHERE free_at IS NOT NULL;

CREATE INDEX operation_ended ON operation (ended_at);

-- The jobs that are meant, until it ends: pieces of ids, one behind the other.
CREATE TABLE operation_jobs (
    operation INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    ids BLOB NOT NULL,
    PRIMARY KEY (operation, piece)
) STRICT, WITHOUT ROWID;
