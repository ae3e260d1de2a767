-- Forgets what open attempts have of a gate.
--
--   ?1  gate  integer
--
-- Index: the primary key of held.
DELETE FROM held
WHERE gate = ?1
