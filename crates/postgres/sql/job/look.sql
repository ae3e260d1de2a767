-- What facts.sql tells of one job, be it unfinished or not, without a lock.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: the primary key of job, history_id. No row: there is no such job.
SELECT job.id, job.seq, job.lane, job.priority, job.stage, job.reason, job.run_at, job.attempt, job.attempts_max, job.losses,
    job.losses_max, job.number, job.nonce, job.holder, job.lease, job.worker, job.started_at, job.finished_at, job.deadline,
    job.options, job.revision, job.log_bytes, job.error,
    CASE
        WHEN job.holder = 0 THEN NULL
        WHEN job.lease_until IS NOT NULL THEN job.lease_until
        ELSE (SELECT worker.lease_until FROM windlass.worker WHERE worker.number = job.holder AND worker.gone_at IS NULL)
    END,
    coalesce($1, statement_timestamp())
FROM windlass.job
WHERE job.id = $2
UNION ALL
SELECT history.id, history.seq, history.lane, history.priority, history.stage, history.reason, history.run_at, history.attempt, history.attempts_max, history.losses,
    history.losses_max, history.number, history.nonce, 0, NULL::bigint, history.worker, history.started_at, history.finished_at, history.deadline,
    history.options, history.revision, history.log_bytes, history.error,
    NULL, coalesce($1, statement_timestamp())
FROM windlass.history
WHERE history.id = $2
