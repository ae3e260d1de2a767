-- Locks jobs that have ended: until the end of the transaction nobody comes to depend on them.
--
--   $1  ids  uuid[]
--
-- Index: history_id. No row: none of them has ended.
SELECT id
FROM windlass.history
WHERE id = ANY ($1)
FOR UPDATE
