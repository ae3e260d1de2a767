-- The queue of a job. No row: there is no such job.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT lane.queue
FROM job
JOIN lane ON lane.id = abs(job.lane)
WHERE job.id = ?1
