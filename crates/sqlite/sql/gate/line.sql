-- The first in line at a gate of those who want the same. No row: nobody stands there.
--
--   ?1  gate    integer
--   ?2  amount  integer
--
-- Index: stand_line, which covers it.
SELECT priority, run_at, seq
FROM stand INDEXED BY stand_line
WHERE gate = ?1 AND in_line = 1 AND amount = ?2
ORDER BY priority, run_at, seq
LIMIT 1
