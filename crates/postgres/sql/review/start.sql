-- Lets jobs wait for their time whose start was accepted, and that this transaction has locked.
--
--   $1  ids     uuid[]
--   $2  args    bytea[]; NULL where they stay as they are
--   $3  traits  integer[]
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row changed: there was none of them.
UPDATE windlass.job
SET stage = 1, lane = abs(job.lane), reason = NULL, args = coalesce(given.args, job.args), traits = given.traits,
    revision = job.revision + 1
FROM unnest($1, $2, $3) AS given (id, args, traits)
WHERE job.id = ANY (ARRAY[given.id])
