-- What jobs had made when they came into review. No row: none of them had made anything.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of review.
SELECT job, staged
FROM windlass.review
WHERE job = ANY ($1) AND staged IS NOT NULL
