-- Leases jobs that were found claimable, and locked, in the same transaction. In the columns of
-- claim.sql, and where their rows lie.
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
    SET holder = $5, nonce = $3, number = job.number + 1, attempt = job.attempt + 1, revision = job.revision + 1,
        started_at = coalesce($1, statement_timestamp()),
        lease_until = coalesce($1, statement_timestamp()) + $4 * interval '1 microsecond'
    WHERE job.id = ANY ($2)
    RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.number, job.attempt, job.priority, job.traits,
        job.deadline, job.args, job.options, (job.more).losses, (job.more).checkpoint, job.lane,
        job.ctid AS spot
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, lease, jobs)
    VALUES ($3, 0, $5, coalesce($1, statement_timestamp()), $4, $2)
)
SELECT id, seq, run_at, created_at, budget, number, attempt, priority, traits, deadline, args, options, losses, checkpoint,
    coalesce($1, statement_timestamp()), $6, NULL::text, lane, spot
FROM claimed
