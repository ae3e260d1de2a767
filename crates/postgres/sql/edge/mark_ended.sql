-- Marks jobs that have ended as ones that others wait for. That changes their rows, so nobody removes them at the same time
-- without looking whether they are needed.
--
--   $1  ids  uuid[]
--
-- Index: history_id. No row: none of them has ended.
UPDATE windlass.history
SET traits = traits | 2
WHERE id = ANY ($1)
RETURNING id, stage
