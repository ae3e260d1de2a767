-- Lets jobs that waited for a key be claimed once they are due.
--
--   $1  ids      uuid[]
--   $2  run_at   timestamptz[]
--   $3  reasons  smallint[]; NULL for none
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row changed: they wait no longer.
UPDATE windlass.job
SET stage = 1, lane = abs(job.lane), run_at = given.run_at, reason = given.reason, revision = job.revision + 1
FROM unnest($1, $2, $3) AS given (id, run_at, reason)
WHERE job.id = ANY (ARRAY[given.id]) AND job.stage = 2
