-- Removes a job's row; its attempts, log and events have statements of their own.
--
--   ?1  id  blob
--
-- Index: job_id.
DELETE FROM job
WHERE id = ?1
