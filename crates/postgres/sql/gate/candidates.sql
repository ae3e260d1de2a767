-- Locks the first due jobs of a scope in claim order, whatever gates they have, with what gates ask of them.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  queues    text[]; NULL for every queue but those of Windlass's own
--   $3  kinds     text[]; NULL for every kind
--   $4  versions  bigint[], the newest version of each kind
--   $5  limit     bigint
--   $6  closed    integer[], lanes that are left out
--   $7  floor_lanes   integer[]
--   $8  floor_bands   smallint[], priorities
--   $9  floor_run_at  timestamptz[]
--   $10 floor_seq     bigint[]
--
-- One seek per lane and priority, from the floor where there is one. Those that are to be had are put in order before any of them
-- is read whole: there are more than are wanted, as others may have some of them. What a transaction that is not over has in hand is
-- passed by before a lock is tried, as in claim.sql.
-- Index: job_place. Reads every lane. No row: nothing is due.
SELECT first.id, first.seq, first.lane, first.priority, first.run_at, first.traits, first.options, first.deadline,
    coalesce($1, statement_timestamp())
FROM unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
CROSS JOIN LATERAL (
    SELECT locked.id, locked.seq, locked.lane, locked.priority, locked.run_at, locked.traits,
        CASE WHEN locked.traits & 16 <> 0 THEN locked.options END AS options,
        locked.deadline
    FROM (
        SELECT spare.place, spare.run_at, spare.seq
        FROM windlass.lane
        LEFT JOIN unnest($7, $8, $9, $10) AS floor (lane, priority, run_at, seq)
            ON floor.lane = lane.id AND floor.priority = band.priority
        CROSS JOIN LATERAL (
            SELECT seen.ctid AS place, seen.run_at, seen.seq
            FROM windlass.job AS seen
            WHERE seen.lane = lane.id AND seen.priority = band.priority AND seen.holder = 0
                AND seen.run_at <= coalesce($1, statement_timestamp())
                AND (seen.run_at, seen.seq) > (coalesce(floor.run_at, '-infinity'), coalesce(floor.seq, 0))
                AND (seen.xmax = '0' OR seen.xmax = (SELECT pg_current_xact_id_if_assigned()::xid)
                    OR age(seen.xmax) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
                    AND seen.xmax <> ALL (ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot())::xid)))
            ORDER BY seen.run_at, seen.seq
            LIMIT 2 * $5 + 100
        ) AS spare
        WHERE (lane.queue = ANY ($2) OR $2 IS NULL AND NOT starts_with(lane.queue, 'windlass' || '.'))
            AND ($3 IS NULL OR EXISTS (
                SELECT
                FROM unnest($3, $4) AS known (kind, version_max)
                WHERE known.kind = lane.kind AND known.version_max >= lane.version
            ))
            AND lane.id <> ALL ($6)
            AND NOT EXISTS (SELECT FROM windlass.queue WHERE queue.name = lane.queue AND queue.paused_at IS NOT NULL)
        ORDER BY spare.run_at, spare.seq
    ) AS spare
    JOIN windlass.job AS locked ON locked.ctid = spare.place AND locked.holder = 0
    ORDER BY spare.run_at, spare.seq
    LIMIT $5
    FOR NO KEY UPDATE OF locked SKIP LOCKED
) AS first
LIMIT $5
