-- What does not fit together at gates, a sentence each. No row: all is well. Reads every job that is open or parked.
SELECT 'a gate is held by an attempt that is not open, of the job at place ' || held.seq
FROM held
WHERE held.seq NOT IN (SELECT seq FROM job WHERE holder IS NOT NULL)
UNION ALL
SELECT 'a job is listed at a gate and does not wait there, at place ' || stand.seq
FROM stand
WHERE stand.seq NOT IN (SELECT seq FROM job WHERE stage = 1)
UNION ALL
SELECT 'a job is parked and no gate will call it, at place ' || job.seq
FROM job
WHERE job.stage = 1 AND job.lane < 0 AND job.seq NOT IN (SELECT seq FROM stand WHERE here = 1 AND called = 0)
LIMIT 100
