-- Gives jobs that were not started what others asked for.
--
--   $1  ids            uuid[]
--   $2  stages         smallint[], which they must have
--   $3  lanes          integer[]
--   $4  priorities     smallint[]
--   $5  run_at         timestamptz[]
--   $6  budgets        bigint[]
--   $7  deadlines      timestamptz[]; NULL for none
--   $8  args           bytea[]
--   $9  options        text[], JSON; NULL where all is default
--   $10 traits         integer[]
--   $11 reasons        smallint[]; NULL for none
--   $12 times          bigint[], how often each was changed
--   $13 asked          integer, the traits that go with what is asked for
--   $14 irreplaceable  integer, the traits with which a job stays as it is
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row: it was started, has ended, or is not at that stage any more.
UPDATE windlass.job
SET lane = CASE WHEN job.stage = 2 THEN -given.lane ELSE given.lane END, priority = given.priority, run_at = given.run_at,
    budget = given.budget, deadline = given.deadline, args = given.args, options = given.options,
    traits = job.traits & ~ $13 | given.traits, reason = given.reason, revision = job.revision + given.times
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    AS given (id, stage, lane, priority, run_at, budget, deadline, args, options, traits, reason, times)
WHERE job.id = ANY (ARRAY[given.id]) AND job.stage = given.stage AND job.holder = 0 AND job.number = 0 AND job.traits & $14 = 0
RETURNING job.id
