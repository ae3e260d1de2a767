-- Keeps when time lets in another that is parked at a gate, if that is sooner than for all others.
--
--   ?1  gate      integer
--   ?2  opens_at  integer, microseconds
--
-- Index: the rowid of gate.
UPDATE gate
SET opens_at = min(ifnull(opens_at, ?2), ?2)
WHERE id = ?1
