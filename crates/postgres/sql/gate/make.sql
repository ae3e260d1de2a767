-- Makes gates known that are not.
--
--   $1  forms  smallint[]
--   $2  names  text[]
--
-- In order, so that two that make the same gates do not wait for one another in a circle.
INSERT INTO windlass.gate (form, name)
SELECT wanted.form, wanted.name
FROM unnest($1, $2) AS wanted (form, name)
WHERE NOT EXISTS (SELECT FROM windlass.gate WHERE gate.form = wanted.form AND gate.name = wanted.name COLLATE "C")
ORDER BY wanted.form, wanted.name COLLATE "C"
ON CONFLICT (form, name) DO NOTHING
