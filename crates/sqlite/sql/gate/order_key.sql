-- What a job is in line with. No row: it is gone.
--
--   ?1  seq  integer
--
-- Index: the rowid of job.
SELECT order_key
FROM job
WHERE seq = ?1
