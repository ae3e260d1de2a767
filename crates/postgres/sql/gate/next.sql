-- When the next job of a scope is due, and when time opens a gate next where one of it is parked.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  queues    text[]; NULL for every queue but those of Windlass's own
--   $3  kinds     text[]; NULL for every kind
--   $4  versions  bigint[], the newest version of each kind
--
-- Index: job_place, gate_opens, stand_here. Reads every lane. No row: never.
WITH open AS MATERIALIZED (
    SELECT lane.id
    FROM windlass.lane
    WHERE (lane.queue = ANY ($2) OR $2 IS NULL AND NOT starts_with(lane.queue, 'windlass' || '.'))
        AND ($3 IS NULL OR EXISTS (
            SELECT
            FROM unnest($3, $4) AS known (kind, version_max)
            WHERE known.kind = lane.kind AND known.version_max >= lane.version
        ))
        AND NOT EXISTS (SELECT FROM windlass.queue WHERE queue.name = lane.queue AND queue.paused_at IS NOT NULL)
)
SELECT least(
    (
        SELECT min(later.run_at)
        FROM open
        CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
        CROSS JOIN LATERAL (
            SELECT job.run_at
            FROM windlass.job
            WHERE job.lane = open.id AND job.priority = band.priority
                AND job.run_at > coalesce($1, statement_timestamp())
            ORDER BY job.run_at
            LIMIT 1
        ) AS later
    ),
    (
        SELECT min(gate.opens_at)
        FROM windlass.gate
        WHERE gate.opens_at IS NOT NULL AND EXISTS (
            SELECT
            FROM open
            JOIN windlass.stand ON stand.gate = gate.id AND stand.here AND NOT stand.called AND stand.lane = open.id
        )
    )
)
