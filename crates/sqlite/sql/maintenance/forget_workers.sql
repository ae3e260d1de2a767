-- Forgets workers that left before the oldest job here was enqueued, and hold nothing: no row can name them.
--
-- Index: job_held. Reads every worker, and the first job. No row changed: there are none.
DELETE FROM worker
WHERE gone_at IS NOT NULL
    AND gone_at < coalesce((SELECT created_at FROM job ORDER BY seq LIMIT 1), gone_at + 1)
    AND NOT EXISTS (SELECT 1 FROM job WHERE job.holder = worker.number AND job.holder IS NOT NULL)
