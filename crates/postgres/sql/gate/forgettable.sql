-- Locks gates that nobody has, nobody waits for, and time has no say in any more, as far as can be seen.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Reads gates until it has found enough. No row: there are none. Index: the primary key of gate.
SELECT gate.id
FROM windlass.gate
WHERE coalesce(gate.freed_at, '-infinity') <= coalesce($1, statement_timestamp()) - interval '1 minute'
    AND coalesce(gate.arrival, '-infinity') <= coalesce($1, statement_timestamp())
    AND NOT EXISTS (SELECT FROM windlass.held WHERE held.gate = gate.id)
    AND NOT EXISTS (SELECT FROM windlass.stand WHERE stand.gate = gate.id)
ORDER BY gate.id
LIMIT $2
FOR UPDATE SKIP LOCKED
