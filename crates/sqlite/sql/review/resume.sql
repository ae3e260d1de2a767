-- What was decided about a job is to be carried out after all.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job.
UPDATE review
SET standing = 2
WHERE job = ?1
