-- Cancels running jobs that were locked in the same transaction; their attempts stay open.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  ids     uuid[]
--   $3  reason  smallint
--
-- Index: the primary key of job. No row changed: none of them was there.
UPDATE windlass.job
SET stage = 6, reason = $3, more.stopped_at = coalesce($1, statement_timestamp()), revision = revision + 1
WHERE id = ANY ($2)
