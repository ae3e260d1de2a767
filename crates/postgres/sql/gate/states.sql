-- How gates stand that were locked in the same transaction, and when that is: whoever has waited for a lock must not start by a
-- time that was read before.
--
--   $1  gates  bigint[]
--
-- Index: the primary keys of gate and held; stand_line, stand_here, job_turn. No row: they were forgotten.
SELECT gate.id, gate.form, gate.name, gate.freed_at, gate.arrival, gate.opens_at,
    holders.count, holders.exclusive,
    shared.priority, shared.run_at, shared.seq, alone.priority, alone.run_at, alone.seq,
    CASE WHEN gate.form = 5 THEN (
        SELECT job.seq
        FROM windlass.job
        WHERE windlass.order_key(job.traits, job.options) = gate.name COLLATE "C"
            AND windlass.order_key(job.traits, job.options) IS NOT NULL AND job.stage <> 6
        ORDER BY job.seq
        LIMIT 1
    ) END,
    listed.somebody AND EXISTS (
        SELECT
        FROM windlass.stand
        WHERE stand.gate = gate.id AND stand.here AND NOT stand.called
    ),
    statement_timestamp()
FROM windlass.gate
CROSS JOIN LATERAL (
    SELECT count(*) AS count, coalesce(bool_or(held.exclusive), false) AS exclusive
    FROM windlass.held
    WHERE held.gate = gate.id
) AS holders
CROSS JOIN LATERAL (
    -- At most gates nobody is listed, and there is no more to look for.
    SELECT EXISTS (SELECT FROM windlass.stand WHERE stand.gate = gate.id) AS somebody
    OFFSET 0
) AS listed
LEFT JOIN LATERAL (
    SELECT stand.priority, stand.run_at, stand.seq
    FROM windlass.stand
    WHERE listed.somebody AND gate.form = 6 AND stand.gate = gate.id AND stand.in_line AND stand.amount = 0
    ORDER BY stand.priority, stand.run_at, stand.seq
    LIMIT 1
) AS shared ON true
LEFT JOIN LATERAL (
    SELECT stand.priority, stand.run_at, stand.seq
    FROM windlass.stand
    WHERE listed.somebody AND gate.form = 6 AND stand.gate = gate.id AND stand.in_line AND stand.amount = 1
    ORDER BY stand.priority, stand.run_at, stand.seq
    LIMIT 1
) AS alone ON true
WHERE gate.id = ANY ($1)
ORDER BY gate.id
