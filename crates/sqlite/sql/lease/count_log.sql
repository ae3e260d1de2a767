-- Keeps how many bytes of log a job has.
--
--   ?1  seq        integer
--   ?2  log_bytes  integer
UPDATE job
SET log_bytes = ?2
WHERE seq = ?1
