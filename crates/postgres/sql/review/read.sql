-- What is or was to be decided about jobs. No row: nobody was asked about any of them, or there are none.
--
--   $1  jobs  uuid[]
--
-- Index: the primary keys of review and job, history_id.
SELECT review.job, lane.kind, lane.queue, job.options, job.args, job.traits, review.staged, review.round, review.asked_at,
    review.decide_by, review.reminders, review.remind_at, review.open, review.decision, review.decided_at, review.reviewer,
    review.comment, review.digest, review.edited, review.number
FROM windlass.review
CROSS JOIN LATERAL (
    SELECT job.options, job.args, job.traits, job.lane
    FROM windlass.job
    WHERE job.id = review.job
    UNION ALL
    SELECT history.options, history.args, history.traits, history.lane
    FROM windlass.history
    WHERE history.id = review.job
) AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
WHERE review.job = ANY ($1)
