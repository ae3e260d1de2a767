-- Records what became of ticks; answers with the jobs of those that were not recorded before.
--
--   $1  now       timestamptz
--   $2  schedule  bigint
--   $3  ticks     timestamptz[]
--   $4  forms     smallint[]
--   $5  jobs      uuid[]; NULL for none
--   $6  until     timestamptz[]; NULL for a job
--   $7  counts    integer[]; NULL for a job
--
-- Index: the primary key.
INSERT INTO windlass.firing (schedule, tick, form, at, job, until, count)
SELECT $2, given.tick, given.form, $1, given.job, given.until, given.count
FROM unnest($3, $4, $5, $6, $7) AS given (tick, form, job, until, count)
ON CONFLICT DO NOTHING
RETURNING job
