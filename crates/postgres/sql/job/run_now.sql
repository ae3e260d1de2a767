-- Makes a waiting job due now that was locked in the same transaction.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: the primary key of job. No row changed: it was not there.
UPDATE windlass.job
SET run_at = coalesce($1, statement_timestamp()), revision = revision + 1
WHERE id = $2
