-- Cancels a running job that was locked in the same transaction; its attempt stays open.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  id      uuid
--   $3  reason  smallint
--
-- Index: the primary key of job. No row changed: it was not there.
UPDATE windlass.job
SET stage = 6, reason = $3, finished_at = coalesce($1, statement_timestamp()), revision = revision + 1
WHERE id = $2
