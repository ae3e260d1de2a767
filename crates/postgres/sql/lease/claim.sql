-- Leases the first due jobs of a scope, in one go; the caller puts them into claim order.
--
--   $1  now            timestamptz; NULL for the server's
--   $2  worker         uuid
--   $3  queues         text[]; NULL for every queue
--   $4  kinds          text[]; NULL for every kind
--   $5  versions       bigint[], the newest version of each kind
--   $6  limit          bigint
--   $7  nonce          bigint
--   $8  own            bigint, microseconds of a lease of their own; NULL when they hold as long as the worker
--   $9  floor_lanes    integer[]
--   $10 floor_bands    smallint[], priorities
--   $11 floor_run_at   timestamptz[]
--   $12 floor_seq      bigint[]
--   $13 seen_to        bool, whether those past their deadline have been ended in this transaction
--
-- No row: the worker is unknown, gone or expired. Else one row at least, whose job is NULL if nothing was leased; nothing
-- is if a job waits past its deadline, for that has to be ended first.
--
-- One seek per lane and priority, from the floor where there is one. A row is locked only once it is known to be among
-- the first of all lanes, so claims that meet take neighbouring jobs instead of waiting; `spare` keeps enough of them in
-- sight for two. The condition on `holder` stands twice because a lock looks again at the row's newest version.
-- Index: job_place, job_deadline, job_stopping. Reads every lane.
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
open AS MATERIALIZED (
    SELECT lane.id, band.priority, coalesce(floor.run_at, '-infinity') AS run_at, coalesce(floor.seq, 0) AS seq
    FROM windlass.lane
    CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
    LEFT JOIN unnest($9, $10, $11, $12) AS floor (lane, priority, run_at, seq)
        ON floor.lane = lane.id AND floor.priority = band.priority
    WHERE ($3 IS NULL OR lane.queue = ANY ($3))
        AND ($4 IS NULL OR EXISTS (
            SELECT
            FROM unnest($4, $5) AS known (kind, version_max)
            WHERE known.kind = lane.kind AND known.version_max >= lane.version
        ))
        AND NOT EXISTS (SELECT FROM windlass.queue WHERE queue.name = lane.queue AND queue.paused_at IS NOT NULL)
),
claimed AS (
    UPDATE windlass.job
    SET number = job.number + 1, nonce = $7, started_at = me.now, attempt = job.attempt + 1,
        revision = job.revision + 1, holder = me.number, worker = me.number, reason = NULL, lease = $8,
        lease_until = me.now + $8 * interval '1 microsecond'
    FROM me
    WHERE job.ctid = ANY (ARRAY(
        SELECT first.place
        FROM me
        CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
        CROSS JOIN LATERAL (
            SELECT locked.ctid AS place
            FROM open
            CROSS JOIN LATERAL (
                SELECT seen.ctid AS place, seen.run_at, seen.seq
                FROM windlass.job AS seen
                WHERE seen.lane = open.id AND seen.priority = band.priority AND seen.run_at <= me.now
                    AND (seen.run_at, seen.seq) > (open.run_at, open.seq) AND seen.holder = 0
                    AND (seen.deadline IS NULL OR seen.deadline > me.now)
                ORDER BY seen.run_at, seen.seq
                LIMIT 2 * $6 + 100
            ) AS spare
            JOIN windlass.job AS locked ON locked.ctid = spare.place AND locked.holder = 0
            WHERE open.priority = band.priority
            ORDER BY spare.run_at, spare.seq
            LIMIT $6
            FOR NO KEY UPDATE OF locked SKIP LOCKED
        ) AS first
        WHERE $13 OR NOT (SELECT found FROM late)
        LIMIT $6
    ))
    RETURNING job.id, job.seq, job.lane, job.number, job.priority, job.attempt, job.attempts_max, job.losses, job.run_at,
        job.created_at, job.deadline, job.traits, job.args, job.checkpoint, job.options
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, jobs)
    SELECT $7, part, me.number, me.now, array_agg(numbered.id)
    FROM (SELECT id, row_number() OVER () / 100 AS part FROM claimed) AS numbered
    CROSS JOIN me
    GROUP BY part, me.number, me.now
)
SELECT me.now, me.lease_until, late.found,
    CASE WHEN (SELECT count(*) FROM claimed) < $6 THEN (
        SELECT min(later.run_at)
        FROM open
        CROSS JOIN LATERAL (
            SELECT job.run_at
            FROM windlass.job
            WHERE job.lane = open.id AND job.priority = open.priority
                AND job.run_at > coalesce($1, statement_timestamp())
            ORDER BY job.run_at
            LIMIT 1
        ) AS later
    ) END,
    stopping.tokens, claimed.*
FROM me
CROSS JOIN late
CROSS JOIN stopping
LEFT JOIN claimed ON true
