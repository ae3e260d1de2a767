-- What gates ask of jobs. No row: there are none.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of job.
SELECT id, seq, abs(lane), priority, run_at, traits, options, deadline
FROM windlass.job
WHERE id = ANY ($1)
