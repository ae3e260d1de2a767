-- What has to be known of unfinished jobs to change them; locks them.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  ids  uuid[]
--
-- The lease that counts is the job's own, or that of its holder; NULL when the holder is gone.
-- Index: the primary key of job. No row: there is no such job, or it has ended.
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
WHERE job.id = ANY ($2)
ORDER BY job.id
FOR NO KEY UPDATE OF job
