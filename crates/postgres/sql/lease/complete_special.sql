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
-- elsewhere since, and go the long way. If somebody changes a key between the look at it and the end of its job, nothing is done.
-- An order key is looked for in the text first, which is less work than to read it.
-- Index: unique_key_job; none for job and for keys that were found, whose rows lie where they were seen. No row: never.
WITH live AS MATERIALIZED (
    SELECT array_agg(number) AS numbers, bool_or(id = $8) AS holds
    FROM windlass.worker
    WHERE gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
had AS MATERIALIZED (
    SELECT ctid AS spot, key, job, next IS NULL AND (until IS NULL OR until <= coalesce($1, statement_timestamp())) AS is_free
    FROM windlass.unique_key
    WHERE job = ANY (ARRAY(SELECT id FROM windlass.job WHERE ctid = ANY ($9) AND traits & 8 <> 0))
),
gone AS (
    DELETE FROM windlass.job
    WHERE job.ctid = ANY ($9) AND job.id = ($2)[width_bucket(job.id, $2)]
        AND job.number = ($3)[width_bucket(job.id, $2)] AND job.nonce = ($4)[width_bucket(job.id, $2)]
        AND job.nonce <> 0 AND job.stage = 1 AND job.holder <> 0 AND job.traits & 98 = 0
        AND (
            job.traits & 16 = 0 OR strpos(job.options, '"order_key"') = 0
            OR windlass.order_key(job.traits, job.options) IS NULL
        )
        AND CASE
            WHEN job.lease_until IS NULL THEN job.holder = ANY ((SELECT numbers FROM live)::integer[])
            ELSE job.lease_until > coalesce($1, statement_timestamp())
        END
        AND ($8 IS NULL OR (SELECT holds FROM live))
        AND (job.traits & 8 = 0 OR job.id NOT IN (SELECT had.job FROM had WHERE NOT had.is_free))
    RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.nonce, job.number, job.attempt, job.revision,
        job.lane, job.traits, job.priority, job.holder, job.started_at, job.deadline, job.args, job.options, job.more,
        width_bucket(job.id, $2) AS place
),
free AS MATERIALIZED (
    SELECT had.spot, had.key, had.job
    FROM had
    JOIN gone ON gone.id = had.job
    ORDER BY had.key
),
let_go AS (
    DELETE FROM windlass.unique_key AS taken
    USING free
    WHERE taken.ctid = free.spot AND taken.job = free.job AND taken.next IS NULL
        AND (taken.until IS NULL OR taken.until <= coalesce($1, statement_timestamp()))
    RETURNING taken.key
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
SELECT ended.places
FROM (SELECT array_agg(place) AS places FROM gone) AS ended
WHERE windlass.unchanged((SELECT count(*) FROM let_go) = (SELECT count(*) FROM free))
