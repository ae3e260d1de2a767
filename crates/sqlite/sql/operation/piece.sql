-- A piece of the jobs that are meant.
--
--   ?1  operation  integer, a number
--   ?2  piece      integer
--
-- Index: the primary key of operation_jobs.
SELECT ids
FROM operation_jobs
WHERE operation = ?1 AND piece = ?2
