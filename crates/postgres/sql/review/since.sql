-- Since when a job is in review. No row: nobody was asked about it.
--
--   $1  job  uuid
--
-- Index: the primary key of review.
SELECT asked_at
FROM windlass.review
WHERE job = $1
