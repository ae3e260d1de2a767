-- The attempt that a job's own row tells of, the open one or the one that completed it; NULL where there is none.
--
--   $1  id  uuid
--
-- Index: the primary key of job, history_id. No row: there is no such job.
SELECT CASE WHEN job.holder <> 0 OR job.stage = 5 THEN job.number END, worker.name, job.started_at, job.finished_at,
    job.holder <> 0
FROM windlass.every_job AS job
LEFT JOIN windlass.worker ON worker.number = job.worker
WHERE job.id = $1
