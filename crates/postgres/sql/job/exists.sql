-- Whether there is such a job.
--
--   $1  id  uuid
--
-- Index: the primary key of job, history_id. No row: there is not.
SELECT id
FROM windlass.every_job
WHERE id = $1
