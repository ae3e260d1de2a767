-- Keeps when time lets in one that is parked at a gate. No row changed: it was known.
--
--   ?1  gate      integer
--   ?2  opens_at  integer, microseconds; NULL if it is not for time to say
--
-- Index: the rowid of gate.
UPDATE gate
SET opens_at = ?2
WHERE id = ?1 AND opens_at IS NOT ?2
