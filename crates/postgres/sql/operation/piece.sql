-- A piece of the jobs that are meant.
--
--   $1  operation  bigint, a number
--   $2  piece      bigint
--
-- Index: the primary key of operation_jobs.
SELECT ids
FROM windlass.operation_jobs
WHERE operation = $1 AND piece = $2
