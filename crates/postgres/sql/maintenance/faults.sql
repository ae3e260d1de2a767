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
LIMIT 100
