-- Keeps when time lets in those that are parked at gates.
--
--   $1  gates     bigint[]
--   $2  opens_at  timestamptz[]; NULL if it is not for time to say
--
-- No row changed: it was known. Index: the primary key of gate.
UPDATE windlass.gate
SET opens_at = given.opens_at
FROM unnest($1, $2) AS given (id, opens_at)
WHERE gate.id = given.id AND gate.opens_at IS DISTINCT FROM given.opens_at
