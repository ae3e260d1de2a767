-- What was decided about a job last. No row: nobody was ever asked.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job.
SELECT decision
FROM review
WHERE job = ?1
