-- The gates that time has opened. No row: there are none.
--
--   ?1  now  integer, microseconds
--
-- Index: gate_opens.
SELECT id
FROM gate INDEXED BY gate_opens
WHERE opens_at IS NOT NULL AND opens_at <= ?1
ORDER BY form, name
