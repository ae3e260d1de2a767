-- Makes jobs that carried a decision out ones that do their work again; this transaction has locked them.
--
--   $1  ids         uuid[]
--   $2  traits      integer[]
--   $3  priorities  smallint[], those they asked for
--
-- `ANY` makes the planner look each job up by its id: where it takes job for empty, it would rather walk through it.
-- Index: the primary key of job. No row changed: there was none of them.
UPDATE windlass.job
SET traits = given.traits, priority = given.priority
FROM unnest($1, $2, $3) AS given (id, traits, priority)
WHERE job.id = ANY (ARRAY[given.id])
