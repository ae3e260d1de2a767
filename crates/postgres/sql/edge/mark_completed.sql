-- The same as mark_ended.sql, of those that completed.
--
--   $1  ids  uuid[]
--
-- Index: history_id. No row: none of them has completed.
UPDATE windlass.history
SET traits = traits | 2
WHERE id = ANY ($1) AND stage = 5
RETURNING id
