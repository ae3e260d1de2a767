-- The first in line at a gate, whatever it wants. No row: nobody stands there.
--
--   ?1  gate  integer
--
-- Index: stand_line.
SELECT job.id
FROM stand INDEXED BY stand_line
JOIN job ON job.seq = stand.seq
WHERE stand.gate = ?1 AND stand.in_line = 1
ORDER BY stand.priority, stand.run_at, stand.seq
LIMIT 1
