-- The deadline of a job that has one. No row: there is no such job.
--
--   ?1  seq  integer
SELECT deadline
FROM job
WHERE seq = ?1
