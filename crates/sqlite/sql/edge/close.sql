-- Ends a blocked job that a parent has failed.
--
--   ?1  id      blob
--   ?2  now     integer, microseconds
--   ?3  reason  integer
--   ?4  error   text, JSON
--
-- Index: job_id.
UPDATE job
SET stage = 6, reason = ?3, finished_at = ?2, error = ?4, revision = revision + 1
WHERE id = ?1
