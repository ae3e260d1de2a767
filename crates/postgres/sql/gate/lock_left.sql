-- Locks the gates of which jobs have something or where they are listed, and those of order keys, in the order of their ids, and
-- tells their forms.
--
--   $1  closed  uuid[], jobs whose attempts give back what they have
--   $2  left    uuid[], jobs that no longer wait
--   $3  keys    text[], order keys
--
-- Index: held_job, stand_job, gate_form_name_key. No row: nobody is concerned.
SELECT gate.id, gate.form
FROM windlass.gate
WHERE gate.id = ANY (ARRAY(
    SELECT had.gate
    FROM unnest($1) AS one (job)
    CROSS JOIN LATERAL (
        SELECT held.gate
        FROM windlass.held
        WHERE held.job = one.job
        OFFSET 0
    ) AS had
    UNION ALL
    SELECT listed.gate
    FROM unnest($2) AS one (job)
    CROSS JOIN LATERAL (
        SELECT stand.gate
        FROM windlass.stand
        WHERE stand.job = one.job
        OFFSET 0
    ) AS listed
    UNION ALL
    SELECT order_key.id
    FROM unnest($3) AS one (name)
    CROSS JOIN LATERAL (
        SELECT known.id
        FROM windlass.gate AS known
        WHERE known.form = 5 AND known.name = one.name COLLATE "C"
        OFFSET 0
    ) AS order_key
))
ORDER BY gate.id
FOR UPDATE
