-- Ends running attempts in success, each under its own token, and moves their jobs to the history.
--
--   $1  now      timestamptz; NULL for the server's
--   $2  ids      uuid[], in ascending order
--   $3  numbers  bigint[]
--   $4  nonces   bigint[]
--   $5  reasons  smallint[]
--   $6  results  text[], JSON; NULL for none
--   $7  closed   bigint[], nonces of claims of which nothing is open any more
--   $8  worker   uuid, whose lease must hold for anything to be written; NULL if that is of no matter
--
-- The condition is the twin of `windlass_store::rules::fence`: whatever is not among the answers did not pass it, or is special
-- (122 is `Traits::SPECIAL`) and goes the long way.
-- The place of a job among the ids is looked up in them, which is less work than to join them, and cannot be planned as a walk
-- through job.
-- Index: the primary key of job. No row: nothing passed.
WITH live AS MATERIALIZED (
    SELECT array_agg(number) AS numbers, bool_or(id = $8) AS mine
    FROM windlass.worker
    WHERE gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
gone AS (
    DELETE FROM windlass.job
    WHERE job.id = ANY ($2) AND job.number = ($3)[width_bucket(job.id, $2)] AND job.nonce = ($4)[width_bucket(job.id, $2)]
        AND job.nonce <> 0 AND job.stage = 1 AND job.holder <> 0 AND job.traits & 122 = 0
        AND CASE
            WHEN job.lease_until IS NULL THEN job.holder = ANY ((SELECT numbers FROM live)::integer[])
            ELSE job.lease_until > coalesce($1, statement_timestamp())
        END
        AND ($8 IS NULL OR (SELECT mine FROM live))
    RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.nonce, job.number, job.attempt, job.revision,
        job.lane, job.traits, job.priority, job.holder, job.started_at, job.deadline, job.args, job.options, job.more,
        width_bucket(job.id, $2) AS place
),
forgotten AS (
    DELETE FROM windlass.claim
    WHERE nonce = ANY ($7) AND ($8 IS NULL OR (SELECT mine FROM live))
)
INSERT INTO windlass.completed (id, seq, run_at, created_at, finished_at, budget, nonce, number, attempt, revision, lane, traits,
    priority, stage, reason, worker, started_at, deadline, args, options, result, more)
SELECT id, seq, run_at, created_at, coalesce($1, statement_timestamp()), budget, nonce, number, attempt, revision + 1, lane,
    traits, priority, 5, ($5)[place], holder, started_at, deadline, args, options, ($6)[place],
    CASE
        WHEN (more).error IS NULL THEN more
        ELSE (
            (more).progress, (more).progress_message, (more).checkpoint, NULL, (more).losses, (more).log_bytes, NULL
        )::windlass.more
    END
FROM gone
RETURNING id
