-- Keeps the order key of a job.
--
--   ?1  seq        integer
--   ?2  order_key  text; NULL for none
UPDATE job
SET order_key = ?2
WHERE seq = ?1
