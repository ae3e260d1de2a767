-- What a job had made when it came into review. No row: nobody was ever asked.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job.
SELECT staged
FROM review
WHERE job = ?1
