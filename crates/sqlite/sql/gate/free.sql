-- Keeps when a gate was last given back while others stood in line.
--
--   ?1  gate      integer
--   ?2  freed_at  integer, microseconds
--
-- Index: the rowid of gate, stand_line. No row changed: nobody stands in line.
UPDATE gate
SET freed_at = ?2
WHERE id = ?1 AND EXISTS (SELECT 1 FROM stand WHERE stand.gate = ?1 AND stand.in_line = 1)
