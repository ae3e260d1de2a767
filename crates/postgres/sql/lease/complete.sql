-- Ends running attempts in success, each under its own token, and moves their jobs to the history.
--
--   $1  now      timestamptz; NULL for the server's
--   $2  ids      uuid[]
--   $3  numbers  bigint[]
--   $4  nonces   bigint[]
--   $5  reasons  smallint[]
--   $6  results  text[], JSON; NULL for none
--   $7  closed   bigint[], nonces of claims of which nothing is open any more
--   $8  worker   uuid, whose lease must hold for anything to be written; NULL if that is of no matter
--
-- The condition is the twin of `windlass_store::rules::fence`: whatever is not among the answers did not pass it.
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty.
-- Index: the primary key of job. No row: nothing passed.
WITH live AS MATERIALIZED (
    SELECT array_agg(number) AS numbers, bool_or(id = $8) AS mine
    FROM windlass.worker
    WHERE gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
gone AS (
    DELETE FROM windlass.job
    USING unnest($2, $3, $4, $5, $6) AS given (id, number, nonce, reason, result)
    CROSS JOIN LATERAL (
        SELECT seen.ctid AS place
        FROM windlass.job AS seen
        WHERE seen.id = given.id
        OFFSET 0
    ) AS found
    WHERE job.ctid = found.place AND job.number = given.number AND job.nonce = given.nonce AND job.nonce <> 0
        AND job.stage = 1 AND job.holder <> 0
        AND CASE
            WHEN job.lease_until IS NULL THEN job.holder = ANY ((SELECT numbers FROM live)::integer[])
            ELSE job.lease_until > coalesce($1, statement_timestamp())
        END
        AND ($8 IS NULL OR (SELECT mine FROM live))
    RETURNING job.id, job.seq, job.created_at, job.run_at, job.started_at, job.lane, job.worker, job.attempts_max,
        job.losses_max, job.losses, job.number, job.nonce, job.attempt, job.revision, job.priority, job.traits,
        job.log_bytes, job.deadline, job.progress, job.args, job.options, job.progress_message, job.checkpoint,
        given.reason, given.result
),
forgotten AS (
    DELETE FROM windlass.claim
    WHERE nonce = ANY ($7) AND ($8 IS NULL OR (SELECT mine FROM live))
)
INSERT INTO windlass.completed (id, seq, created_at, run_at, started_at, finished_at, lane, worker, attempts_max, losses_max,
    losses, number, nonce, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result)
SELECT id, seq, created_at, run_at, started_at, coalesce($1, statement_timestamp()), lane, worker, attempts_max, losses_max,
    losses, number, nonce, attempt, revision + 1, 5, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result
FROM gone
RETURNING id
