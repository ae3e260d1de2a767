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
    UNION
    SELECT stand.gate
    FROM windlass.stand
    WHERE stand.job = ANY ($2)
))
ORDER BY gate.id
FOR UPDATE
