-- Locks jobs whose attempt's own lease has run out.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Index: job_lease.
SELECT id
FROM windlass.job
WHERE lease_until <= coalesce($1, statement_timestamp()) AND holder <> 0
ORDER BY lease_until, seq
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
