-- Lets jobs wait, due now and before all others, for what was decided to be carried out; this transaction has locked them.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  ids     uuid[]
--   $3  traits  integer[], with the decision and the priority the job asked for
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row changed: there was none of them.
UPDATE windlass.job
SET stage = 1, lane = abs(job.lane), reason = NULL, priority = 0, traits = given.traits,
    run_at = coalesce($1, statement_timestamp()), attempt = 0, revision = job.revision + 1,
    more = CASE WHEN job.more IS DISTINCT FROM NULL THEN (
        (job.more).progress, (job.more).progress_message, NULL, (job.more).error, NULL, (job.more).log_bytes, NULL
    )::windlass.more END
FROM unnest($2, $3) AS given (id, traits)
WHERE job.id = ANY (ARRAY[given.id])
