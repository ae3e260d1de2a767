-- How long the finished jobs of single queues are kept.
CREATE TABLE retention (
    queue TEXT PRIMARY KEY,
    -- Microseconds; below zero for ever, NULL for as long as holds for all.
    completed INTEGER,
    cancelled INTEGER,
    dead INTEGER
) STRICT, WITHOUT ROWID;

-- What may be pruned, by lane, as each queue may keep its jobs for another time.
DROP INDEX job_finished;
CREATE INDEX job_finished ON job (stage, lane, finished_at) WHERE finished_at IS NOT NULL;
