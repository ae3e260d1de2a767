-- Forgets what was asked about a job, which is removed. No row changed: nothing was.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job.
DELETE FROM review
WHERE job = ?1
