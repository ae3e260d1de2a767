-- Locks gates by their ids, and those where jobs are listed, in the order of their ids.
--
--   $1  gates  bigint[]
--   $2  jobs   uuid[]
--
-- Index: the primary key of gate, stand_job. No row: none of them is there any more.
SELECT gate.id
FROM windlass.gate
WHERE gate.id = ANY (ARRAY(
    SELECT met.id
    FROM unnest($1) AS met (id)
    UNION ALL
    SELECT listed.gate
    FROM unnest($2) AS one (job)
    CROSS JOIN LATERAL (
        SELECT stand.gate
        FROM windlass.stand
        WHERE stand.job = one.job
        OFFSET 0
    ) AS listed
))
ORDER BY gate.id
FOR UPDATE
