-- Lets a blocked job go as far as some of its parents are concerned, and answers how many it still waits for. No row: there
-- is no such job.
--
--   ?1  id  blob
--   ?2  by  integer
--
-- Index: job_id.
UPDATE job
SET waits = max(waits - ?2, 0)
WHERE id = ?1
RETURNING waits
