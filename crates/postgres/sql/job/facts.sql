-- What has to be known of unfinished jobs to change them; locks them.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  ids  uuid[]
--
-- The lease that counts is the job's own, or that of its holder; NULL when the holder is gone.
-- Index: the primary key of job. No row: there is no such job, or it has ended.
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
WHERE job.id = ANY ($2)
ORDER BY job.id
FOR NO KEY UPDATE OF job
