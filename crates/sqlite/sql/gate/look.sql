-- What is known of a gate. No row: nothing is.
--
--   ?1  form  integer
--   ?2  name  text
--
-- Index: that of the unique forms and names; the primary keys of held and stand.
SELECT id, freed_at, arrival, opens_at,
    (SELECT count(*) FROM held WHERE held.gate = gate.id),
    EXISTS (SELECT 1 FROM held WHERE held.gate = gate.id AND held.exclusive = 1),
    EXISTS (SELECT 1 FROM stand WHERE stand.gate = gate.id),
    opens_at IS NOT NULL
FROM gate
WHERE form = ?1 AND name = ?2
