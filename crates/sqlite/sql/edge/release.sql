-- Lets a blocked job go as far as some of its parents are concerned, altogether where it waits for no other; answers how many it
-- still waits for, and what it uses. No row: there is no such job.
--
--   ?1  id  blob
--   ?2  by  integer
--
-- Index: job_id.
UPDATE job
SET waits = max(waits - ?2, 0), stage = iif(waits <= ?2, 1, stage), reason = iif(waits <= ?2, NULL, reason),
    revision = revision + iif(waits <= ?2, 1, 0)
WHERE id = ?1
RETURNING waits, traits
