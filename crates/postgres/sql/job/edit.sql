-- Gives a job that waits what somebody made of it by hand, and that was locked in the same transaction.
--
--   $1  id        uuid
--   $2  lane      integer
--   $3  priority  smallint
--   $4  run_at    timestamptz
--   $5  reason    smallint; NULL for none
--   $6  args      bytea
--   $7  options   text, JSON; NULL where all is default
--   $8  form      integer, the trait of args that are not JSON
--   $9  has_form  bool, whether these are such
--
-- One that claims do not see stays out of their sight. Index: the primary key of job. No row changed: it was not there.
UPDATE windlass.job
SET lane = sign(job.lane)::integer * $2, priority = $3, run_at = $4, reason = $5, args = $6, options = $7,
    traits = CASE WHEN $9 THEN job.traits | $8 ELSE job.traits & ~ $8 END, revision = job.revision + 1
WHERE job.id = $1
