-- Keeps when time lets in others that are parked at gates, if that is sooner than for all that were.
--
--   $1  gates     bigint[]
--   $2  opens_at  timestamptz[]
--
-- Index: the primary key of gate.
UPDATE windlass.gate
SET opens_at = least(gate.opens_at, given.opens_at)
FROM unnest($1, $2) AS given (id, opens_at)
WHERE gate.id = given.id
