-- Which of these jobs have ended.
--
--   $1  ids          uuid[]
--   $2  ended_since  timestamptz
--
-- Index: history_id. No row: none has.
SELECT id
FROM windlass.history
WHERE id = ANY ($1) AND finished_at >= $2
