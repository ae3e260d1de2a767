-- Due jobs of one lane that come before a place, in claim order.
--
--   ?1  lane      integer
--   ?2  now       integer, microseconds
--   ?3  priority  integer
--   ?4  run_at    integer, microseconds
--   ?5  seq       integer
--   ?6  limit     integer
--
-- Index: job_waiting.
SELECT priority, run_at, seq
FROM job INDEXED BY job_waiting
WHERE stage = 1 AND lane = ?1 AND run_at <= ?2 AND (priority, run_at, seq) < (?3, ?4, ?5)
ORDER BY priority, run_at, seq
LIMIT ?6
