-- Asks nobody about a job any more that something else holds back. No row changed: nobody is asked, or somebody decided.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job.
DELETE FROM review
WHERE job = ?1 AND standing = 1
