-- What does not fit together, a sentence each. Reads every row of every table. No row: all is well.
SELECT 'job ' || job.id || ' is in a lane that does not exist'
FROM windlass.every_job AS job
WHERE abs(job.lane) NOT IN (SELECT lane.id FROM windlass.lane)
UNION ALL
SELECT 'job ' || job.id || ' is held by a worker that does not exist'
FROM windlass.job
WHERE job.holder <> 0 AND job.holder NOT IN (SELECT worker.number FROM windlass.worker)
UNION ALL
SELECT 'job ' || job.id || ' is held, and no claim tells of it'
FROM windlass.job
WHERE job.holder <> 0 AND NOT EXISTS (
    SELECT
    FROM windlass.claim
    WHERE claim.nonce = job.nonce AND claim.worker = job.holder AND job.id = ANY (claim.jobs)
)
UNION ALL
SELECT 'job ' || job.id || ' has ended, and has not'
FROM windlass.job
JOIN windlass.history ON history.id = job.id
UNION ALL
SELECT 'job ' || job.id || ' was cancelled, and is still among the unfinished'
FROM windlass.job
WHERE job.stage = 6 AND job.holder = 0
UNION ALL
SELECT 'an attempt is kept of job ' || attempt.job || ', which does not exist'
FROM windlass.attempt
WHERE attempt.job NOT IN (SELECT every_job.id FROM windlass.every_job)
UNION ALL
SELECT 'a log is kept of job ' || log.job || ', which does not exist'
FROM windlass.log
WHERE log.line = 1 AND log.job NOT IN (SELECT every_job.id FROM windlass.every_job)
UNION ALL
SELECT 'a review is kept of job ' || review.job || ', which does not exist'
FROM windlass.review
WHERE review.job NOT IN (SELECT every_job.id FROM windlass.every_job)
UNION ALL
SELECT 'job ' || review.job || ' is to be decided about, and is not in review'
FROM windlass.review
WHERE review.open AND NOT EXISTS (SELECT FROM windlass.job WHERE job.id = review.job AND job.stage = 3)
UNION ALL
SELECT 'job ' || job.id || ' is in review, and nobody is asked about it'
FROM windlass.job
WHERE job.stage = 3 AND NOT EXISTS (SELECT FROM windlass.review WHERE review.job = job.id AND review.open)
UNION ALL
SELECT 'an edge is kept of job ' || edge.child || ', which does not exist'
FROM windlass.edge
WHERE edge.child NOT IN (SELECT every_job.id FROM windlass.every_job)
UNION ALL
SELECT 'job ' || edge.child || ' waits for job ' || edge.parent || ', which does not exist'
FROM windlass.edge
JOIN windlass.job ON job.id = edge.child AND job.stage = 2
WHERE edge.parent NOT IN (SELECT every_job.id FROM windlass.every_job)
UNION ALL
SELECT 'job ' || job.id || ' counts ' || coalesce(blocked.waits, 0) || ' parents that it waits for, and there are ' || open.count
FROM windlass.job
LEFT JOIN windlass.blocked ON blocked.job = job.id
CROSS JOIN LATERAL (
    SELECT count(*)
    FROM windlass.edge
    JOIN windlass.every_job AS parent ON parent.id = edge.parent
    WHERE edge.child = job.id AND NOT (parent.stage = 5 OR parent.stage IN (6, 7) AND edge.policy = 2)
) AS open
WHERE job.stage = 2 AND coalesce(blocked.waits, 0) <> open.count
UNION ALL
SELECT 'job ' || blocked.job || ' is counted as blocked, and is not'
FROM windlass.blocked
WHERE NOT EXISTS (SELECT FROM windlass.job WHERE job.id = blocked.job AND job.stage = 2)
UNION ALL
SELECT 'job ' || unique_key.job || ' has a unique key, and has ended'
FROM windlass.unique_key
WHERE unique_key.hold > 0 AND unique_key.job NOT IN (SELECT job.id FROM windlass.job WHERE job.stage < 5)
UNION ALL
SELECT 'job ' || unique_key.next || ' is the next to have a unique key, and does not wait for it'
FROM windlass.unique_key
WHERE unique_key.next IS NOT NULL AND unique_key.next NOT IN (SELECT job.id FROM windlass.job WHERE job.stage = 2)
LIMIT 100
