-- Who has what gates give, the first of each.
--
--   $1  gates  bigint[]
--   $2  limit  bigint
--
-- Index: the primary key of held.
SELECT wanted.gate, first.job, first.exclusive, first.since
FROM unnest($1) AS wanted (gate)
CROSS JOIN LATERAL (
    SELECT held.job, held.exclusive, held.since
    FROM windlass.held
    WHERE held.gate = wanted.gate
    ORDER BY held.since, held.job
    LIMIT $2
) AS first
ORDER BY wanted.gate, first.since, first.job
