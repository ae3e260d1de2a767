-- Errors of attempts, counted in groups of those that are the same but for what changes each time.
CREATE TABLE error_group (
    fingerprint INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    class TEXT,
    -- What the messages have in common.
    message TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    -- The job of the last of them.
    example BLOB NOT NULL
) STRICT;

CREATE INDEX error_group_last ON error_group (last_at, fingerprint);

-- Which group the error of an attempt is in.
ALTER TABLE attempt ADD COLUMN fingerprint INTEGER;
