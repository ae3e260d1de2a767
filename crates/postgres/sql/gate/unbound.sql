-- Lifts the bounds of a queue or a kind.
--
--   $1  form  smallint
--   $2  name  text
--
-- No row: it had none.
DELETE FROM windlass.bound
WHERE form = $1 AND name = $2
