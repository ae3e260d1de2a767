-- The gates that time will open, the first one first. No row: there are none.
--
-- Index: gate_opens.
SELECT id, opens_at
FROM gate INDEXED BY gate_opens
WHERE opens_at IS NOT NULL
ORDER BY opens_at
