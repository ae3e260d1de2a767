-- Keeps when the next start would be due.
--
--   ?1  gate     integer
--   ?2  arrival  integer, microseconds
--
-- Index: the rowid of gate.
UPDATE gate
SET arrival = ?2
WHERE id = ?1
