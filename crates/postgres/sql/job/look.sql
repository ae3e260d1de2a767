-- What facts.sql tells of one job, be it unfinished or not, without a lock.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: the primary key of job, history_id. No row: there is no such job.
SELECT job.id, job.lane, job.priority, job.stage, CASE WHEN job.stage = 6 OR job.holder = 0 THEN job.reason END, job.run_at,
    job.attempt, job.budget, coalesce((job.more).losses, 0), job.number, job.nonce, job.holder,
    CASE WHEN job.holder <> 0 THEN job.holder ELSE job.worker END, job.started_at, (job.more).stopped_at, job.deadline,
    job.options, job.revision, coalesce((job.more).log_bytes, 0), (job.more).error, job.traits,
    CASE
        WHEN job.holder = 0 THEN NULL
        WHEN job.lease_until IS NOT NULL THEN job.lease_until
        ELSE (SELECT worker.lease_until FROM windlass.worker WHERE worker.number = job.holder AND worker.gone_at IS NULL)
    END,
    coalesce($1, statement_timestamp())
FROM windlass.job
WHERE job.id = $2
UNION ALL
SELECT history.id, history.lane, history.priority, history.stage, history.reason, history.run_at, history.attempt,
    history.budget, coalesce((history.more).losses, 0), history.number, history.nonce, 0, history.worker, history.started_at,
    history.finished_at, history.deadline, history.options, history.revision, coalesce((history.more).log_bytes, 0),
    (history.more).error, history.traits, NULL, coalesce($1, statement_timestamp())
FROM windlass.history
WHERE history.id = $2
