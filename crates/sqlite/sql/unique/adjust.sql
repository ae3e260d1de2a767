-- Gives a job that was just made the stage and the reason that its key asks for. No row changed: there is no such job.
--
--   ?1  id      blob
--   ?2  parked  integer, 1 if it waits for the end of another, else 0
--   ?3  reason  integer; NULL for none
--
-- Index: job_id.
UPDATE job
SET stage = iif(?2, 2, stage), reason = coalesce(?3, reason)
WHERE id = ?1
