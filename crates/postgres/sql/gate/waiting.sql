-- The first of each lane that gates turned away, in claim order, of lanes in which one is parked.
--
--   $1  gates  bigint[]
--   $2  limit  bigint
--
-- Index: stand_here. No row: none is parked.
WITH RECURSIVE lanes AS (
    SELECT wanted.gate, (
        SELECT stand.lane
        FROM windlass.stand
        WHERE stand.gate = wanted.gate AND stand.here AND NOT stand.called
        ORDER BY stand.lane
        LIMIT 1
    ) AS lane
    FROM unnest($1) AS wanted (gate)
    UNION ALL
    SELECT lanes.gate, (
        SELECT stand.lane
        FROM windlass.stand
        WHERE stand.gate = lanes.gate AND stand.here AND NOT stand.called AND stand.lane > lanes.lane
        ORDER BY stand.lane
        LIMIT 1
    )
    FROM lanes
    WHERE lanes.lane IS NOT NULL
)
SELECT lanes.gate, lanes.lane, first.job, first.priority, first.run_at, first.seq, first.amount, first.burst, first.called
FROM lanes
CROSS JOIN unnest(ARRAY[true, false]) AS which (called)
CROSS JOIN LATERAL (
    SELECT stand.job, stand.priority, stand.run_at, stand.seq, stand.amount, stand.burst, stand.called
    FROM windlass.stand
    WHERE stand.gate = lanes.gate AND stand.here AND stand.called = which.called AND stand.lane = lanes.lane
    ORDER BY stand.priority, stand.run_at, stand.seq
    LIMIT $2
) AS first
WHERE lanes.lane IS NOT NULL
ORDER BY lanes.gate, lanes.lane, first.priority, first.run_at, first.seq
