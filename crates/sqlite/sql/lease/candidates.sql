-- The first due jobs of one lane and priority, in claim order.
--
--   ?1  lane      integer
--   ?2  priority  integer
--   ?3  now       integer, microseconds
--   ?4  limit     integer
--
-- Index: job_waiting, which covers it.
SELECT run_at, seq
FROM job INDEXED BY job_waiting
WHERE stage = 1 AND lane = ?1 AND priority = ?2 AND run_at <= ?3
ORDER BY run_at, seq
LIMIT ?4
