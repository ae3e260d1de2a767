-- Takes over how far the starts of rates have come. Where more have been made here already, that stays.
--
--   $1  forms     smallint[]
--   $2  names     text[]
--   $3  arrivals  timestamptz[]
INSERT INTO windlass.gate (form, name, arrival)
SELECT given.form, given.name, given.arrival
FROM unnest($1, $2, $3) AS given (form, name, arrival)
ORDER BY given.form, given.name COLLATE "C"
ON CONFLICT (form, name) DO UPDATE
SET arrival = greatest(gate.arrival, EXCLUDED.arrival)
