-- Which job stands for a unique key.

-- One row for each key that is taken: a digest of where it is the only one, and of the key. Its rows outlive the moment in
-- which a key is free again by the start of its job, so that no start has to touch them.
CREATE TABLE unique_key (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    job BLOB NOT NULL CHECK (length(job) = 16),
    -- 0: the job has ended, and what counts is `until`. 1: until it is started. 2: until it is final.
    hold INTEGER NOT NULL CHECK (hold BETWEEN 0 AND 2),
    -- Until when the key is kept in any case.
    until INTEGER,
    -- The job that waits for the end of this one.
    next BLOB CHECK (length(next) = 16),
    -- Before when the job must not be due.
    free_at INTEGER,
    CHECK (hold > 0 OR until IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX unique_key_job ON unique_key (job);
CREATE INDEX unique_key_next ON unique_key (next) WHERE next IS NOT NULL;
CREATE INDEX unique_key_over ON unique_key (until) WHERE hold = 0;

-- What was answered to jobs that were not made, as another had their key.
CREATE TABLE answer (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    job BLOB NOT NULL CHECK (length(job) = 16),
    outcome INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answer_at ON answer (at);
