-- Leases jobs that were found claimable, and locked, in the same transaction. In the columns of claim.sql.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  ids     uuid[]
--   $3  nonce   bigint
--   $4  own     bigint, microseconds of a lease of their own; NULL when they hold as long as the worker
--   $5  worker  integer
--   $6  until   timestamptz, the end of the worker's lease
--
-- Index: the primary key of job. No row: there was none of them.
WITH claimed AS (
    UPDATE windlass.job
    SET number = job.number + 1, nonce = $3, started_at = coalesce($1, statement_timestamp()), attempt = job.attempt + 1,
        revision = job.revision + 1, holder = $5, worker = $5, reason = NULL, lease = $4,
        lease_until = coalesce($1, statement_timestamp()) + $4 * interval '1 microsecond'
    WHERE job.id = ANY ($2)
    RETURNING job.id, job.seq, job.lane, job.number, job.priority, job.attempt, job.attempts_max, job.losses, job.run_at,
        job.created_at, job.deadline, job.traits, job.args, job.checkpoint, job.options
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, jobs)
    VALUES ($3, 0, $5, coalesce($1, statement_timestamp()), $2)
)
SELECT coalesce($1, statement_timestamp()), $6, false, NULL::timestamptz, NULL::text, claimed.*
FROM claimed
