-- Ends running attempts in success as complete.sql does, by way of where their rows lie instead of an index.
--
--   $1  now      timestamptz; NULL for the server's
--   $2  ids      uuid[], in ascending order
--   $3  numbers  bigint[]
--   $4  nonces   bigint[]
--   $5  reasons  smallint[]
--   $6  results  text[], JSON; NULL for none
--   $7  closed   bigint[], nonces of claims of which nothing is open any more
--   $8  worker   uuid, whose lease must hold for anything to be written; NULL if that is of no matter
--   $9  spots    tid[], where their claims left them, in any order
--
-- The places of those that passed among the ids, from 1; the others did not pass, are special (122 is `Traits::SPECIAL`), or
-- lie elsewhere since, and go the long way.
-- Index: none for job, whose rows are found where they lie. No row: never.
WITH live AS MATERIALIZED (
    SELECT array_agg(number) AS numbers, bool_or(id = $8) AS mine
    FROM windlass.worker
    WHERE gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
gone AS (
    DELETE FROM windlass.job
    WHERE job.ctid = ANY ($9) AND job.id = ($2)[width_bucket(job.id, $2)]
        AND job.number = ($3)[width_bucket(job.id, $2)] AND job.nonce = ($4)[width_bucket(job.id, $2)]
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
),
kept AS (
    INSERT INTO windlass.completed (id, seq, run_at, created_at, finished_at, budget, nonce, number, attempt, revision, lane,
        traits, priority, stage, reason, worker, started_at, deadline, args, options, result, more)
    SELECT id, seq, run_at, created_at, coalesce($1, statement_timestamp()), budget, nonce, number, attempt, revision + 1, lane,
        traits, priority, 5, ($5)[place], holder, started_at, deadline, args, options, ($6)[place],
        CASE
            WHEN (more).error IS NULL THEN more
            ELSE (
                (more).progress, (more).progress_message, (more).checkpoint, NULL, (more).losses, (more).log_bytes, NULL
            )::windlass.more
        END
    FROM gone
)
SELECT array_agg(place)
FROM gone
