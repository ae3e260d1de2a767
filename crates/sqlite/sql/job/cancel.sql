-- Cancels a job; an open attempt stays open.
--
--   ?1  seq     integer
--   ?2  reason  integer
--   ?3  now     integer, microseconds
UPDATE job
SET stage = 6, reason = ?2, finished_at = ?3, revision = revision + 1
WHERE seq = ?1
