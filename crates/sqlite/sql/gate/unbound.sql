-- Lifts the bounds of a queue or a kind.
--
--   ?1  form  integer
--   ?2  name  text
--
-- No row: it had none.
DELETE FROM bound
WHERE form = ?1 AND name = ?2
