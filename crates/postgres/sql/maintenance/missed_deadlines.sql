-- Locks jobs that were not started by their deadline.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Index: job_deadline.
SELECT id
FROM windlass.job
WHERE deadline <= coalesce($1, statement_timestamp()) AND holder = 0 AND stage < 4
ORDER BY deadline, seq
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
