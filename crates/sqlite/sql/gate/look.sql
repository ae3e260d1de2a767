-- What is known of a gate. No row: nothing is.
--
--   ?1  form  integer
--   ?2  name  text
SELECT id, freed_at, arrival, opens_at,
    (SELECT count(*) FROM held WHERE held.gate = gate.id),
    EXISTS (SELECT 1 FROM held WHERE held.gate = gate.id AND held.exclusive = 1)
FROM gate
WHERE form = ?1 AND name = ?2
