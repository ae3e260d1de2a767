-- Errors of attempts, counted in groups of those that are the same but for what changes each time.
CREATE TABLE windlass.error_group (
    fingerprint bigint PRIMARY KEY,
    kind text NOT NULL,
    class text,
    -- What the messages have in common.
    message text NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    -- The job of the last of them.
    example uuid NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Which group the error of an attempt is in.
ALTER TABLE windlass.attempt ADD COLUMN fingerprint bigint;
