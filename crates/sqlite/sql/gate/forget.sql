-- Forgets gates that nobody has, nobody waits for, and time has no say in any more. No row changed: there are none.
--
--   ?1  freed_until  integer, microseconds; who was given back later is kept
--   ?2  now          integer, microseconds
--   ?3  limit        integer
--
-- Reads gates until it has found enough. Index: the rowid of gate.
DELETE FROM gate
WHERE id IN (
    SELECT id
    FROM gate
    WHERE ifnull(freed_at, 0) <= ?1 AND ifnull(arrival, 0) <= ?2
        AND NOT EXISTS (SELECT 1 FROM held WHERE held.gate = gate.id)
        AND NOT EXISTS (SELECT 1 FROM stand WHERE stand.gate = gate.id)
    LIMIT ?3
)
