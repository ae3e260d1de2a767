-- What does not fit together, a sentence each. Reads every row of every table. No row: all is well.
SELECT 'job ' || lower(hex(job.id)) || ' is in a lane that does not exist'
FROM job
WHERE job.lane NOT IN (SELECT id FROM lane)
UNION ALL
SELECT 'job ' || lower(hex(job.id)) || ' is held by a worker that does not exist'
FROM job
WHERE job.holder IS NOT NULL AND job.holder NOT IN (SELECT number FROM worker)
UNION ALL
SELECT 'an attempt is kept of job ' || lower(hex(attempt.job)) || ', which does not exist'
FROM attempt
WHERE attempt.job NOT IN (SELECT id FROM job)
UNION ALL
SELECT 'a log is kept of job ' || lower(hex(log.job)) || ', which does not exist'
FROM log
WHERE log.line = 1 AND log.job NOT IN (SELECT id FROM job)
LIMIT 100
