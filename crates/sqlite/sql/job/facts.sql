-- What has to be known of a job to change it. No row: there is no such job.
--
--   ?1  id  blob
--
-- The lease that counts is the job's own, or that of its holder; NULL when the holder is gone.
-- Index: job_id.
SELECT job.seq, job.stage, job.reason, job.run_at, job.attempt, job.attempts_max, job.losses, job.losses_max,
    job.number, job.nonce, job.holder, job.lease, job.worker, job.started_at, job.deadline, job.options,
    job.revision, job.log_bytes,
    CASE
        WHEN job.holder IS NULL THEN NULL
        WHEN job.lease IS NOT NULL THEN (SELECT lease.until FROM lease WHERE lease.seq = job.seq)
        ELSE (SELECT worker.lease_until FROM worker WHERE worker.number = job.holder AND worker.gone_at IS NULL)
    END,
    job.traits, job.priority
FROM job
WHERE job.id = ?1
