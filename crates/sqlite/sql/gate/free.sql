-- Keeps when a gate was last given back.
--
--   ?1  gate      integer
--   ?2  freed_at  integer, microseconds
--
-- Index: the rowid of gate.
UPDATE gate
SET freed_at = ?2
WHERE id = ?1
