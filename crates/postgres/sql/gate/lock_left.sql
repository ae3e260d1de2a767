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
    SELECT held.gate
    FROM windlass.held
    WHERE held.job = ANY ($1)
    UNION
    SELECT stand.gate
    FROM windlass.stand
    WHERE stand.job = ANY ($2)
    UNION
    SELECT known.id
    FROM windlass.gate AS known
    WHERE known.form = 5 AND known.name = ANY ($3)
))
ORDER BY gate.id
FOR UPDATE
