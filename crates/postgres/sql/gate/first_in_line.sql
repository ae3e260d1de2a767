-- The first in line at each gate, whatever it wants. No row: nobody stands there.
--
--   $1  gates  bigint[]
--
-- Index: stand_line.
SELECT wanted.gate, first.job
FROM unnest($1) AS wanted (gate)
CROSS JOIN LATERAL (
    SELECT stand.job
    FROM windlass.stand
    WHERE stand.gate = wanted.gate AND stand.in_line
    ORDER BY stand.priority, stand.run_at, stand.seq
    LIMIT 1
) AS first
