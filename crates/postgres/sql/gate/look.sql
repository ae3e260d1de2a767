-- The ids of gates by their names. No row: nothing is known of any of them.
--
--   $1  forms  smallint[]
--   $2  names  text[]
--
-- Index: gate_form_name_key.
SELECT found.id
FROM unnest($1, $2) AS wanted (form, name)
CROSS JOIN LATERAL (
    SELECT gate.id
    FROM windlass.gate
    WHERE gate.form = wanted.form AND gate.name = wanted.name COLLATE "C"
    OFFSET 0
) AS found
