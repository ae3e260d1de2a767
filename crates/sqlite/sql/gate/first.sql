-- The first of one lane that a gate turned away, in claim order.
--
--   ?1  gate    integer
--   ?2  called  integer, whether those that were called or those that were not
--   ?3  lane    integer
--   ?4  limit   integer
--
-- Index: stand_here.
SELECT priority, run_at, seq, amount, burst, called
FROM stand INDEXED BY stand_here
WHERE gate = ?1 AND here = 1 AND called = ?2 AND lane = ?3
ORDER BY priority, run_at, seq
LIMIT ?4
