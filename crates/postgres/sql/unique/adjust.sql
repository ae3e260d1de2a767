-- Gives jobs that were made in the same transaction the stage and the reason that their keys ask for.
--
--   $1  ids      uuid[]
--   $2  parked   smallint[], 1 for a job that waits for the end of another, else 0
--   $3  reasons  smallint[]; NULL for none
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row: there is no such job.
UPDATE windlass.job
SET stage = CASE WHEN given.parked = 1 THEN 2 ELSE job.stage END, reason = coalesce(given.reason, job.reason),
    lane = CASE WHEN given.parked = 1 THEN -abs(job.lane) ELSE job.lane END
FROM unnest($1, $2, $3) AS given (id, parked, reason)
WHERE job.id = ANY (ARRAY[given.id])
RETURNING job.id
