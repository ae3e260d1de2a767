-- Puts a job in review: the job's own row.
--
--   ?1  seq     integer
--   ?2  reason  integer
UPDATE job
SET stage = 3, reason = ?2
WHERE seq = ?1
