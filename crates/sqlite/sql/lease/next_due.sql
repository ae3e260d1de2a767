-- When the next job of one lane and priority is due. No row: none waits.
--
--   ?1  lane      integer
--   ?2  priority  integer
--   ?3  now       integer, microseconds
--
-- Index: job_waiting, which covers it.
SELECT run_at
FROM job INDEXED BY job_waiting
WHERE stage = 1 AND lane = ?1 AND priority = ?2 AND run_at > ?3
ORDER BY run_at
LIMIT 1
