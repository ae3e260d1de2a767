-- Forgets to look at a deadline. No row changed: it was forgotten before.
--
--   ?1  at   integer, microseconds
--   ?2  seq  integer
DELETE FROM deadline
WHERE at = ?1 AND seq = ?2
