-- Whether there is such a job. No row: there is not.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT 1
FROM job
WHERE id = ?1
