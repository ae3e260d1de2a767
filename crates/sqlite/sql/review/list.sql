-- Jobs in review, the first to come into it first, in the columns of read.sql.
--
--   ?1  after   integer, the number the page goes on from; NULL for the first
--   ?2  limit   integer
--   ?3  queues  text, JSON array of names; NULL for all
--   ?4  kinds   text, JSON array of names; NULL for all
--
-- Index: review_open.
SELECT review.job, lane.kind, lane.queue, job.options, job.args, review.staged, review.round, review.asked_at,
    review.decide_by, review.reminders, review.remind_at, review.standing, review.decision, review.decided_at,
    review.reviewer, review.comment, review.digest, review.edited, review.number
FROM review INDEXED BY review_open
CROSS JOIN job ON job.id = review.job
CROSS JOIN lane ON lane.id = abs(job.lane)
WHERE review.standing = 1 AND (?1 IS NULL OR review.number > ?1)
    AND (?3 IS NULL OR lane.queue IN (SELECT value FROM json_each(?3)))
    AND (?4 IS NULL OR lane.kind IN (SELECT value FROM json_each(?4)))
ORDER BY review.number
LIMIT ?2
