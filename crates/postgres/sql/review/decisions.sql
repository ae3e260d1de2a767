-- What was decided about jobs last. No row: nothing was.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of review.
SELECT job, decision
FROM windlass.review
WHERE job = ANY ($1) AND decision IS NOT NULL
