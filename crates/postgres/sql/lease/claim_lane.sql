-- Leases the first due jobs of one lane for as long as their worker's lease, in one go, in the first columns of claim.sql; the
-- caller puts them into claim order.
--
--   $1  now           timestamptz; NULL for the server's
--   $2  worker        uuid
--   $3  lane          integer
--   $4  limit         bigint
--   $5  nonce         bigint
--   $6  floor_run_at  timestamptz[], one for each priority from 0 to 5
--   $7  floor_seq     bigint[], likewise
--   $8  follows       boolean[], likewise: whether to begin where another claim has come to since, if that is further on
--
-- What claim.sql does for many lanes, without having to merge them: for a worker whose scope is a single lane, while
-- there is enough to do in it, or what lanes there are was looked at just now. What holds for all jobs is told with each,
-- which is less work than a row of its own.
-- No row: nothing was leased, and claim.sql says why. Nothing is if a job waits past its deadline, for that has to be ended
-- first.
-- Between a floor and where others have come to lies what they took, which would be looked at row by row. Only behind a floor
-- that is no lower than ever before: what came to lie behind a lowered one is still to be found. What others have in hand
-- is passed by as in claim.sql.
-- Index: job_place, claim_place, job_deadline, job_stopping.
WITH me AS MATERIALIZED (
    SELECT number, lease_until, coalesce($1, statement_timestamp()) AS now
    FROM windlass.worker
    WHERE id = $2 AND gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
),
picked AS MATERIALIZED (
    SELECT array_agg(first.place) AS places, array_agg(first.id) AS jobs, array_agg(first.priority) AS priorities,
        array_agg(first.run_at) AS run_at, array_agg(first.seq) AS seqs
    FROM (
        SELECT ready.*
        FROM me
        CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[], $6, $7, $8) AS band (priority, run_at, seq, follows)
        LEFT JOIN LATERAL (
            SELECT claim.run_at, claim.seq
            FROM windlass.claim
            WHERE band.follows AND claim.lane = $3 AND claim.priority = band.priority
                AND (claim.run_at, claim.seq) > (band.run_at, band.seq)
            ORDER BY claim.run_at DESC, claim.seq DESC
            LIMIT 1
        ) AS other ON true
        CROSS JOIN LATERAL (
            SELECT seen.ctid AS place, seen.id, seen.priority, seen.run_at, seen.seq
            FROM windlass.job AS seen
            WHERE seen.lane = $3 AND seen.priority = band.priority AND seen.run_at <= me.now
                AND (seen.run_at, seen.seq) > (coalesce(other.run_at, band.run_at), coalesce(other.seq, band.seq))
                AND seen.holder = 0
                AND (seen.deadline IS NULL OR seen.deadline > me.now)
                AND (seen.xmax = '0' OR seen.xmax = (SELECT pg_current_xact_id_if_assigned()::xid)
                    OR age(seen.xmax) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
                    AND seen.xmax <> ALL (ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot())::xid)))
            ORDER BY seen.run_at, seen.seq
            LIMIT $4
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS ready
        WHERE NOT EXISTS (
                SELECT
                FROM windlass.job
                WHERE deadline <= coalesce($1, statement_timestamp()) AND holder = 0 AND stage = 1
            )
            AND NOT EXISTS (
                SELECT
                FROM windlass.lane
                JOIN windlass.queue ON queue.name = lane.queue
                WHERE lane.id = $3 AND queue.paused_at IS NOT NULL
            )
            AND NOT EXISTS (
                SELECT
                FROM windlass.lane
                JOIN windlass.bound ON bound.form = 1 AND bound.name = lane.queue OR bound.form = 2 AND bound.name = lane.kind
                WHERE lane.id = $3
            )
        LIMIT $4
    ) AS first
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, jobs, lane, priority, run_at, seq)
    SELECT $5, part, me.number, me.now, picked.jobs[part * 100 + 1:part * 100 + 100], last.lane, last.priority, last.run_at,
        last.seq
    FROM me
    CROSS JOIN picked
    CROSS JOIN generate_series(0, (cardinality(picked.jobs) - 1) / 100) AS part
    LEFT JOIN LATERAL (
        SELECT $3 AS lane, picked.priorities[cardinality(picked.jobs)] AS priority,
            picked.run_at[cardinality(picked.jobs)] AS run_at, picked.seqs[cardinality(picked.jobs)] AS seq
    ) AS last ON part = 0
)
UPDATE windlass.job
SET holder = (SELECT number FROM me), nonce = $5, number = job.number + 1, attempt = job.attempt + 1,
    revision = job.revision + 1, started_at = (SELECT now FROM me)
WHERE job.ctid = ANY ((SELECT places FROM picked)::tid[])
RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.number, job.attempt, job.priority, job.traits,
    job.deadline, job.args, job.options, (job.more).losses, (job.more).checkpoint, (SELECT now FROM me),
    (SELECT lease_until FROM me), (
        SELECT string_agg(concat_ws(' ', stopped.id, stopped.number, stopped.nonce), ',')
        FROM windlass.job AS stopped
        WHERE stopped.stage = 6 AND stopped.holder = (SELECT number FROM me)
    ), job.ctid, CASE WHEN (SELECT cardinality(jobs) FROM picked) < $4 THEN (
        SELECT min(later.run_at)
        FROM unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
        CROSS JOIN LATERAL (
            SELECT due.run_at
            FROM windlass.job AS due
            WHERE due.lane = $3 AND due.priority = band.priority AND due.run_at > coalesce($1, statement_timestamp())
            ORDER BY due.run_at
            LIMIT 1
        ) AS later
    ) END
