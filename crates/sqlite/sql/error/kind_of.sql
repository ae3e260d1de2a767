-- The kind of a job. No row: there is no such job.
--
--   ?1  seq  integer
SELECT lane.kind
FROM job
JOIN lane ON lane.id = abs(job.lane)
WHERE job.seq = ?1
