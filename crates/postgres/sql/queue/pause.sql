-- Pauses a queue; the first pause stays. No row: it was paused.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  name  text
--   $3  by    text
--   $4  why   text; NULL if not said
INSERT INTO windlass.queue (name, paused_at, paused_by, paused_why)
VALUES ($2, coalesce($1, statement_timestamp()), $3, $4)
ON CONFLICT (name) DO UPDATE
SET paused_at = excluded.paused_at, paused_by = excluded.paused_by, paused_why = excluded.paused_why
WHERE queue.paused_at IS NULL
RETURNING name
