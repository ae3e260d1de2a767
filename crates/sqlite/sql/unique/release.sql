-- Lets the job that waited for a key be claimed once it is due. No row changed: it waits no longer.
--
--   ?1  id      blob
--   ?2  run_at  integer, microseconds
--   ?3  reason  integer; NULL for none
--
-- Index: job_id.
UPDATE job
SET stage = 1, run_at = ?2, reason = ?3, revision = revision + 1
WHERE id = ?1 AND stage = 2
