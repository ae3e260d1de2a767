-- Keeps others from beginning operations until the end of the transaction, and tells the time after that. One row.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
--
-- Reads every row of nothing: there is no table in it.
SELECT coalesce($1, clock_timestamp())
FROM (SELECT pg_advisory_xact_lock(hashtextextended('windlass operations ' || $2, 0))) AS guarded
