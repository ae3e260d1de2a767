-- Gives a waiting job that was locked in the same transaction a new budget, due now. A deadline that has passed no longer
-- holds.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: the primary key of job. No row changed: it was not there.
UPDATE windlass.job
SET reason = NULL, run_at = coalesce($1, statement_timestamp()), attempt = 0, more.losses = NULL,
    deadline = CASE WHEN deadline > coalesce($1, statement_timestamp()) THEN deadline END, revision = revision + 1
WHERE id = $2
