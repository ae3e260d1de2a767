-- What a job is in line with.
--
--   ?1  seq  integer
SELECT order_key
FROM job
WHERE seq = ?1
