-- What does not fit together, a sentence each. Reads every row of every table. No row: all is well.
SELECT 'job ' || lower(hex(job.id)) || ' is in a lane that does not exist'
FROM job
WHERE abs(job.lane) NOT IN (SELECT id FROM lane)
UNION ALL
SELECT 'job ' || lower(hex(job.id)) || ' is held by a worker that does not exist'
FROM job
WHERE job.holder IS NOT NULL AND job.holder NOT IN (SELECT number FROM worker)
UNION ALL
SELECT 'an attempt is kept of job ' || lower(hex(attempt.job)) || ', which does not exist'
FROM attempt
WHERE attempt.job NOT IN (SELECT id FROM job)
UNION ALL
SELECT 'a review is kept of job ' || lower(hex(review.job)) || ', which does not exist'
FROM review
WHERE review.job NOT IN (SELECT id FROM job)
UNION ALL
SELECT 'job ' || lower(hex(review.job)) || ' is to be decided about, and is not in review'
FROM review
WHERE review.standing = 1 AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = review.job AND job.stage = 3)
UNION ALL
SELECT 'job ' || lower(hex(job.id)) || ' is in review, and nobody is asked about it'
FROM job
WHERE job.stage = 3 AND NOT EXISTS (SELECT 1 FROM review WHERE review.job = job.id AND review.standing = 1)
UNION ALL
SELECT 'a log is kept of job ' || lower(hex(log.job)) || ', which does not exist'
FROM log
WHERE log.line = 1 AND log.job NOT IN (SELECT id FROM job)
UNION ALL
SELECT 'job ' || lower(hex(unique_key.job)) || ' has a unique key, and has ended'
FROM unique_key
WHERE unique_key.hold > 0 AND unique_key.job NOT IN (SELECT id FROM job WHERE stage < 5)
UNION ALL
SELECT 'job ' || lower(hex(unique_key.next)) || ' is the next to have a unique key, and does not wait for it'
FROM unique_key
WHERE unique_key.next IS NOT NULL AND unique_key.next NOT IN (SELECT id FROM job WHERE stage = 2)
LIMIT 100
