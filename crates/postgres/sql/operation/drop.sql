-- Drops the ids of the jobs that were meant.
--
--   $1  operation  bigint, a number
--
-- Index: the primary key of operation_jobs.
DELETE FROM windlass.operation_jobs
WHERE operation = $1
