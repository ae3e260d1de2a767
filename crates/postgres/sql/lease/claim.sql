-- Leases the first due jobs of a scope, in one go; the caller puts them into claim order.
--
--   $1  now            timestamptz; NULL for the server's
--   $2  worker         uuid
--   $3  queues         text[]; NULL for every queue but those of Windlass's own
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
-- No row: the worker is unknown, gone or expired. Else the first has no job, and tells what holds for all of them. Nothing is
-- leased if a job waits past its deadline, for that has to be ended first; nor if one that has gates may come before others:
-- those lie in lanes of which this takes none, be it their own gates or those of their queue or kind, and the caller asks them.
--
-- One seek per lane and priority, from the floor where there is one. A row is locked only once it is known to be among
-- the first of all lanes, so claims that meet take neighbouring jobs instead of waiting; `spare` keeps enough of them in
-- sight for two. The condition on `holder` stands twice because a lock looks again at the row's newest version.
--
-- What a transaction that is not over has locked or changed is passed by before a lock is tried, which would find out the same for
-- several times the work, and that often where several processes claim. `xmax` names the transaction, if any; it is over unless it
-- ran when the statement began or has begun since. This very one counts as over.
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
    SELECT lane.id, lane.gated OR bounded.found AS gated, bounded.is_full, band.priority, coalesce(floor.run_at, '-infinity') AS run_at, coalesce(floor.seq, 0) AS seq
    FROM windlass.lane
    CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT
            FROM windlass.bound
            WHERE bound.form = 1 AND bound.name = lane.queue OR bound.form = 2 AND bound.name = lane.kind
        ) AS found, EXISTS (
            SELECT
            FROM windlass.bound
            JOIN windlass.gate ON gate.form = 2 * bound.form - 1 AND gate.name = bound.name
            WHERE (bound.form = 1 AND bound.name = lane.queue OR bound.form = 2 AND bound.name = lane.kind)
                AND bound.most <= (SELECT count(*) FROM windlass.held WHERE held.gate = gate.id)
        ) AS is_full
    ) AS bounded
    LEFT JOIN unnest($9, $10, $11, $12) AS floor (lane, priority, run_at, seq)
        ON floor.lane = lane.id AND floor.priority = band.priority
    WHERE (lane.queue = ANY ($3) OR $3 IS NULL AND NOT starts_with(lane.queue, 'windlass' || '.'))
        AND ($4 IS NULL OR EXISTS (
            SELECT
            FROM unnest($4, $5) AS known (kind, version_max)
            WHERE known.kind = lane.kind AND known.version_max >= lane.version
        ))
        AND NOT EXISTS (SELECT FROM windlass.queue WHERE queue.name = lane.queue AND queue.paused_at IS NOT NULL)
),
guarded AS MATERIALIZED (
    SELECT EXISTS (
        SELECT
        FROM windlass.gate
        WHERE gate.opens_at <= coalesce($1, statement_timestamp())
    ) AS opens, EXISTS (
        SELECT
        FROM open
        CROSS JOIN LATERAL (
            SELECT
            FROM windlass.job
            WHERE job.lane = open.id AND job.priority = open.priority AND job.holder = 0
                AND job.run_at <= coalesce($1, statement_timestamp())
                AND (job.run_at, job.seq) > (open.run_at, open.seq)
            LIMIT 1
        ) AS due
        WHERE open.gated AND NOT open.is_full
    ) AS found
),
picked AS MATERIALIZED (
    SELECT array_agg(chosen.place) AS places, array_agg(chosen.id) AS jobs
    FROM (
        SELECT first.place, first.id
        FROM me
        CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
        CROSS JOIN LATERAL (
            SELECT locked.ctid AS place, locked.id
            FROM open
            CROSS JOIN LATERAL (
                SELECT seen.ctid AS place, seen.run_at, seen.seq
                FROM windlass.job AS seen
                WHERE seen.lane = open.id AND seen.priority = band.priority AND seen.run_at <= me.now
                    AND (seen.run_at, seen.seq) > (open.run_at, open.seq) AND seen.holder = 0
                    AND (seen.deadline IS NULL OR seen.deadline > me.now)
                    AND (seen.xmax = '0' OR seen.xmax = (SELECT pg_current_xact_id_if_assigned()::xid)
                        OR age(seen.xmax) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
                        AND seen.xmax <> ALL (ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot())::xid)))
                ORDER BY seen.run_at, seen.seq
                LIMIT 2 * $6 + 100
            ) AS spare
            JOIN windlass.job AS locked ON locked.ctid = spare.place AND locked.holder = 0
            WHERE open.priority = band.priority AND NOT open.gated
            ORDER BY spare.run_at, spare.seq
            LIMIT $6
            FOR NO KEY UPDATE OF locked SKIP LOCKED
        ) AS first
        WHERE ($13 OR NOT (SELECT found FROM late)) AND NOT (SELECT opens OR found FROM guarded)
        LIMIT $6
    ) AS chosen
),
kept AS (
    INSERT INTO windlass.claim (nonce, part, worker, claimed_at, lease, jobs)
    SELECT $7, part, me.number, me.now, $8, picked.jobs[part * 100 + 1:part * 100 + 100]
    FROM me
    CROSS JOIN picked
    CROSS JOIN generate_series(0, (cardinality(picked.jobs) - 1) / 100) AS part
),
claimed AS (
    UPDATE windlass.job
    SET holder = (SELECT number FROM me), nonce = $7, number = job.number + 1, attempt = job.attempt + 1,
        revision = job.revision + 1, started_at = (SELECT now FROM me),
        lease_until = (SELECT now FROM me) + $8 * interval '1 microsecond'
    WHERE job.ctid = ANY ((SELECT places FROM picked)::tid[])
    RETURNING job.id, job.seq, job.run_at, job.created_at, job.budget, job.number, job.attempt, job.priority, job.traits,
        job.deadline, job.args, job.options, (job.more).losses, (job.more).checkpoint, job.lane,
        job.ctid AS spot
)
SELECT NULL::uuid, NULL::bigint, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::bigint, NULL::bigint,
    NULL::smallint, NULL::integer, NULL::timestamptz, NULL::bytea, NULL::text, NULL::bigint, NULL::text, me.now,
    me.lease_until, stopping.tokens, NULL::integer, late.found,
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
    ) END, guarded.opens OR guarded.found, NULL::tid, guarded.opens, (SELECT count(*) FROM windlass.lane)
FROM me
CROSS JOIN late
CROSS JOIN guarded
CROSS JOIN stopping
UNION ALL
SELECT id, seq, run_at, created_at, budget, number, attempt, priority, traits, deadline, args, options, losses, checkpoint,
    NULL, NULL, NULL, lane, NULL, NULL, NULL, spot, NULL, NULL
FROM claimed
