-- Nobody has to decide about a job any more, nor is anything carried out: it has ended.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job. No row changed: nobody was ever asked.
UPDATE review
SET standing = NULL, look_at = NULL
WHERE job = ?1
