-- What is or was to be decided about a job. No row: nobody was asked, or there is no such job.
--
--   ?1  job  blob
--
-- Index: the unique one of review.job, job_id.
SELECT review.job, lane.kind, lane.queue, job.options, job.args, review.staged, review.round, review.asked_at,
    review.decide_by, review.reminders, review.remind_at, review.standing, review.decision, review.decided_at,
    review.reviewer, review.comment, review.digest, review.edited, review.number
FROM review
JOIN job ON job.id = review.job
JOIN lane ON lane.id = abs(job.lane)
WHERE review.job = ?1
