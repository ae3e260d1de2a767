-- Numbers reviews by when their jobs came into them, below every number that is given from now on.
--
-- Reads every review. No row changed: there are none.
UPDATE windlass.review
SET number = ranked.place
FROM (
    SELECT review.job, row_number() OVER (ORDER BY review.asked_at, job.seq) - count(*) OVER () AS place
    FROM windlass.review
    JOIN windlass.every_job AS job ON job.id = review.job
) AS ranked
WHERE review.job = ranked.job
