-- Where a job stands in the enqueue order. No row: there is no such job.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT seq
FROM job
WHERE id = ?1
