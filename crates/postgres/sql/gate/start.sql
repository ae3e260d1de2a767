-- Keeps when the next starts would be due.
--
--   $1  gates    bigint[]
--   $2  arrival  timestamptz[]
--
-- Index: the primary key of gate.
UPDATE windlass.gate
SET arrival = given.arrival
FROM unnest($1, $2) AS given (id, arrival)
WHERE gate.id = given.id
