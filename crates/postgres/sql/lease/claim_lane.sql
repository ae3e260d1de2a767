-- Leases the first due jobs of one lane, in one go, in the columns of claim.sql; the caller puts them into claim order.
--
--   $1  now           timestamptz; NULL for the server's
--   $2  worker        uuid
--   $3  lane          integer
--   $4  limit         bigint
--   $5  nonce         bigint
--   $6  own           bigint, microseconds of a lease of their own; NULL when they hold as long as the worker
--   $7  floor_run_at  timestamptz[], one for each priority from 0 to 5
--   $8  floor_seq     bigint[], likewise
--
-- What claim.sql does for many lanes, without having to merge them: for a worker whose scope is a single lane, while
-- there is enough to do in it. When the next job is due is not told.
-- No row: the worker is unknown, gone or expired. Else one row at least, whose job is NULL if nothing was leased; nothing
-- is if a job waits past its deadline, for that has to be ended first.
-- Index: job_place, job_deadline, job_stopping.
WITH me AS MATERIALIZED (
    SELECT number, lease_until, coalesce($1, statement_timestamp()) AS now
    FROM windlass.worker
    WHERE id = $2 AND gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
late AS MATERIALIZED (
    SELECT EXISTS (
        SELECT
        FROM (
            SELECT deadline
            FROM windlass.job
            WHERE deadline IS NOT NULL AND holder = 0 AND stage = 1
            ORDER BY deadline
            LIMIT 1
        ) AS earliest
        WHERE deadline <= coalesce($1, statement_timestamp())
    ) AS found
),
stopping AS MATERIALIZED (
    SELECT string_agg(concat_ws(' ', job.id, job.number, job.nonce), ',') AS tokens
    FROM windlass.job
    WHERE job.stage = 6 AND job.holder = (SELECT number FROM me)
),
claimed AS (
    UPDATE windlass.job
    SET number = job.number + 1, nonce = $5, started_at = me.now, attempt = job.attempt + 1,
        revision = job.revision + 1, holder = me.number, worker = me.number, reason = NULL, lease = $6,
        lease_until = me.now + $6 * interval '1 microsecond'
    FROM me
    WHERE job.ctid = ANY (ARRAY(
        SELECT first.place
        FROM me
        CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[], $7, $8) AS band (priority, run_at, seq)
        CROSS JOIN LATERAL (
            SELECT seen.ctid AS place
            FROM windlass.job AS seen
            WHERE seen.lane = $3 AND seen.priority = band.priority AND seen.run_at <= me.now
                AND (seen.run_at, seen.seq) > (band.run_at, band.seq) AND seen.holder = 0
                AND (seen.deadline IS NULL OR seen.deadline > me.now)
            ORDER BY seen.run_at, seen.seq
            LIMIT $4
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS first
        WHERE NOT (SELECT found FROM late)
            AND NOT EXISTS (
                SELECT
                FROM windlass.lane
                JOIN windlass.queue ON queue.name = lane.queue
                WHERE lane.id = $3 AND queue.paused_at IS NOT NULL
            )
        LIMIT $4
    ))
    RETURNING job.id, job.seq, job.lane, job.number, job.priority, job.attempt, job.attempts_max, job.losses, job.run_at,
        job.created_at, job.deadline, job.traits, job.args, job.checkpoint, job.options
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, jobs)
    SELECT $5, part, me.number, me.now, array_agg(numbered.id)
    FROM (SELECT id, row_number() OVER () / 100 AS part FROM claimed) AS numbered
    CROSS JOIN me
    GROUP BY part, me.number, me.now
)
SELECT me.now, me.lease_until, late.found, NULL::timestamptz, stopping.tokens, claimed.*
FROM me
CROSS JOIN late
CROSS JOIN stopping
LEFT JOIN claimed ON true
