-- Ends running attempts in success as complete_at.sql does, some of which have unique keys that nobody waits for and that are not
-- kept beyond the end: those are let go of. Jobs are locked before keys, as by everyone. What they have of gates is given back
-- by the statements of gates, in the same transaction.
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
-- The places of those that passed among the ids, from 1. The others did not pass, are special in another way (98 is
-- `Traits::SPECIAL` but for `Traits::UNIQUE`, 8, and `Traits::GATED`, 16), have an order key or a key that others wait for, or lie
-- elsewhere since, and go the long way.
-- `|| ''` keeps the planner from walking through all keys in their order where it takes the table for empty.
-- Index: unique_key_job, the primary key of unique_key; none for job, whose rows are found where they lie. No row: never.
WITH live AS MATERIALIZED (
    SELECT array_agg(number) AS numbers, bool_or(id = $8) AS holds
    FROM windlass.worker
    WHERE gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
mine AS MATERIALIZED (
    SELECT job.ctid AS spot, job.id, job.traits
    FROM windlass.job
    WHERE job.ctid = ANY ($9) AND job.id = ($2)[width_bucket(job.id, $2)]
        AND job.number = ($3)[width_bucket(job.id, $2)] AND job.nonce = ($4)[width_bucket(job.id, $2)]
        AND job.nonce <> 0 AND job.stage = 1 AND job.holder <> 0 AND job.traits & 98 = 0
        AND (job.traits & 16 = 0 OR windlass.order_key(job.traits, job.options) IS NULL)
        AND CASE
            WHEN job.lease_until IS NULL THEN job.holder = ANY ((SELECT numbers FROM live)::integer[])
            ELSE job.lease_until > coalesce($1, statement_timestamp())
        END
        AND ($8 IS NULL OR (SELECT holds FROM live))
    FOR UPDATE
),
had AS MATERIALIZED (
    SELECT key, job, next IS NULL AND (until IS NULL OR until <= coalesce($1, statement_timestamp())) AS is_free
    FROM windlass.unique_key
    WHERE job = ANY (ARRAY(SELECT id FROM mine WHERE traits & 8 <> 0))
    ORDER BY key || ''::bytea
    FOR UPDATE
),
let_go AS (
    DELETE FROM windlass.unique_key
    WHERE key = ANY (ARRAY(SELECT key FROM had WHERE is_free))
),
gone AS (
    DELETE FROM windlass.job
    WHERE job.ctid = ANY (ARRAY(SELECT spot FROM mine WHERE id NOT IN (SELECT job FROM had WHERE NOT is_free)))
    RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.nonce, job.number, job.attempt, job.revision,
        job.lane, job.traits, job.priority, job.holder, job.started_at, job.deadline, job.args, job.options, job.more,
        width_bucket(job.id, $2) AS place
),
forgotten AS (
    DELETE FROM windlass.claim
    WHERE nonce = ANY ($7) AND ($8 IS NULL OR (SELECT holds FROM live))
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
