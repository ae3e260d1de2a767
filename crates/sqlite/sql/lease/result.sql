-- Keeps what an attempt made.
--
--   ?1  seq     integer
--   ?2  result  text, JSON
UPDATE job
SET result = ?2
WHERE seq = ?1
