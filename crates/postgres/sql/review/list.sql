-- Jobs in review, the first to come into it first, in the columns of read.sql.
--
--   $1  after   bigint, the number the page goes on from; NULL for the first
--   $2  limit   bigint
--   $3  queues  text[]; NULL for all
--   $4  kinds   text[]; NULL for all
--
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty.
-- Index: review_open, the primary key of job.
SELECT review.job, lane.kind, lane.queue, job.options, job.args, job.traits, review.staged, review.round, review.asked_at,
    review.decide_by, review.reminders, review.remind_at, review.open, review.decision, review.decided_at, review.reviewer,
    review.comment, review.digest, review.edited, review.number
FROM windlass.review
CROSS JOIN LATERAL (
    SELECT job.options, job.args, job.traits, job.lane
    FROM windlass.job
    WHERE job.id = review.job
    OFFSET 0
) AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
WHERE review.open AND ($1 IS NULL OR review.number > $1) AND ($3 IS NULL OR lane.queue = ANY ($3))
    AND ($4 IS NULL OR lane.kind = ANY ($4))
ORDER BY review.number
LIMIT $2
