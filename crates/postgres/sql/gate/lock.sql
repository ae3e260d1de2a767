-- Locks gates by their names, and those where jobs are listed, in the order of their ids.
--
--   $1  forms  smallint[]
--   $2  names  text[]
--   $3  jobs   uuid[]
--
-- Index: gate_form_name_key, stand_job. No row: nothing is known of any of them.
SELECT gate.id
FROM windlass.gate
WHERE gate.id = ANY (ARRAY(
    SELECT found.id
    FROM unnest($1, $2) AS wanted (form, name)
    CROSS JOIN LATERAL (
        SELECT known.id
        FROM windlass.gate AS known
        WHERE known.form = wanted.form AND known.name = wanted.name COLLATE "C"
        OFFSET 0
    ) AS found
    UNION ALL
    SELECT listed.gate
    FROM unnest($3) AS one (job)
    CROSS JOIN LATERAL (
        SELECT stand.gate
        FROM windlass.stand
        WHERE stand.job = one.job
        OFFSET 0
    ) AS listed
))
ORDER BY gate.id
FOR UPDATE
