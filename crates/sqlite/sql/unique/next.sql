-- What is known of a job that waits for a key. No row: it is not there, or waits no longer.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT created_at, run_at, options
FROM job
WHERE id = ?1 AND stage = 2
