-- Ends an unstarted job whose deadline has passed.
--
--   ?1  seq     integer
--   ?2  now     integer, microseconds
--   ?3  reason  integer
--   ?4  error   text, JSON
UPDATE job
SET stage = 7, reason = ?3, finished_at = ?2, error = ?4, revision = revision + 1
WHERE seq = ?1
