-- Brings a job back that has ended, with a new budget, due now. A deadline that has passed no longer holds.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: history_id. No row: somebody else brought it back or removed it.
WITH back AS (
    DELETE FROM windlass.history
    WHERE id = $2
    RETURNING *
)
INSERT INTO windlass.job (id, seq, created_at, run_at, started_at, lane, worker, attempts_max, losses_max, number, nonce,
    revision, priority, traits, log_bytes, deadline, progress, args, options, progress_message, checkpoint, error)
OVERRIDING SYSTEM VALUE
SELECT id, seq, created_at, coalesce($1, statement_timestamp()), started_at, lane, worker, attempts_max, losses_max, number,
    nonce, revision + 1, priority, traits, log_bytes,
    CASE WHEN deadline > coalesce($1, statement_timestamp()) THEN deadline END,
    progress, args, options, progress_message, checkpoint, error
FROM back
RETURNING id
