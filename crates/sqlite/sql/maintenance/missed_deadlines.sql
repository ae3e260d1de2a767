-- Deadlines that have passed, and whether their jobs are still to be started.
--
--   ?1  now    integer, microseconds
--   ?2  limit  integer
SELECT deadline.at, deadline.seq,
    EXISTS (SELECT 1 FROM job WHERE job.seq = deadline.seq AND job.stage < 4 AND job.deadline = deadline.at)
FROM deadline
WHERE deadline.at <= ?1
ORDER BY deadline.at, deadline.seq
LIMIT ?2
