-- The attempt that a job's own row tells of: the open one, or the one that completed it. No row: there is none.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT job.number, worker.name, job.started_at, job.finished_at, job.stage, job.holder
FROM job
LEFT JOIN worker ON worker.number = job.worker
WHERE job.id = ?1 AND (job.holder IS NOT NULL OR job.stage = 5)
