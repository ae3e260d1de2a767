-- What a gate is. No row: it was forgotten.
--
--   ?1  gate  integer
--
-- Index: the rowid of gate.
SELECT form, name
FROM gate
WHERE id = ?1
