-- Makes a waiting job due now.
--
--   ?1  seq  integer
--   ?2  now  integer, microseconds
UPDATE job
SET run_at = ?2, revision = revision + 1
WHERE seq = ?1
