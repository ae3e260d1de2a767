-- Jobs that match, newest first, in the columns of read.sql.
--
--   ?1  now            integer, microseconds
--   ?2  before         integer, the seq the page goes on from; NULL for the newest
--   ?3  limit          integer
--   ?4  states         text, JSON array of state numbers; NULL for all
--   ?5  queues         text, JSON array of names; NULL for all
--   ?6  kinds          text, JSON array of names; NULL for all
--   ?7  tag            text; NULL for any
--   ?8  created_since  integer, microseconds; NULL for any
--   ?9  roots          integer, 1 for only those that no other job waits for
--   ?10 finished_since integer, microseconds; NULL for any
--   ?11 fingerprint    integer, of a group of errors that an attempt ended with; NULL for any
--
-- Walks the table backwards from the cursor; the CASE is the twin of `windlass_core::state::seen`.
SELECT job.id, lane.kind, lane.version, lane.queue, job.stage, job.reason, job.priority, job.run_at, job.args,
    job.attempt, job.attempts_max, job.losses, job.losses_max, job.deadline, job.options, job.progress,
    job.progress_message, job.checkpoint, job.result, job.error, worker.name, job.created_at, job.started_at,
    job.finished_at, job.revision, job.seq, job.traits
FROM job
CROSS JOIN lane ON lane.id = abs(job.lane)
LEFT JOIN worker ON worker.number = job.worker
WHERE (?2 IS NULL OR job.seq < ?2)
    AND (?4 IS NULL OR CASE
            WHEN job.stage = 1 AND job.run_at <= ?1 THEN 2
            WHEN job.stage = 1 AND job.reason IN (4, 5, 6) THEN 3
            WHEN job.stage = 1 THEN 1
            ELSE job.stage + 2
        END IN (SELECT value FROM json_each(?4)))
    AND (?5 IS NULL OR lane.queue IN (SELECT value FROM json_each(?5)))
    AND (?6 IS NULL OR lane.kind IN (SELECT value FROM json_each(?6)))
    AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(job.options, '$.tags') WHERE value = ?7))
    AND (?8 IS NULL OR job.created_at >= ?8)
    AND (?9 = 0 OR NOT EXISTS (SELECT 1 FROM edge WHERE edge.parent = job.seq))
    AND (?10 IS NULL OR job.finished_at >= ?10)
    AND (?11 IS NULL OR EXISTS (SELECT 1 FROM attempt WHERE attempt.job = job.id AND attempt.fingerprint = ?11))
ORDER BY job.seq DESC
LIMIT ?3
