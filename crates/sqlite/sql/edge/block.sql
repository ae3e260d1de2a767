-- Holds a job back until so many of its parents have let it go, and answers what it uses. No row: there is no such job.
--
--   ?1  id      blob
--   ?2  waits   integer
--   ?3  reason  integer
--
-- Index: job_id.
UPDATE job
SET stage = 2, reason = ?3, waits = ?2
WHERE id = ?1
RETURNING traits
