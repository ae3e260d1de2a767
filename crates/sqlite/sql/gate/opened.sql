-- The jobs of one lane that are parked at gates that time has opened.
--
--   ?1  now   integer, microseconds
--   ?2  lane  integer
--
-- Index: gate_opens, stand_here.
SELECT stand.priority, stand.run_at, stand.seq
FROM gate INDEXED BY gate_opens
CROSS JOIN stand INDEXED BY stand_here ON stand.gate = gate.id AND stand.here = 1 AND stand.called = 0 AND stand.lane = ?2
WHERE gate.opens_at IS NOT NULL AND gate.opens_at <= ?1
