-- Gives a job a new budget, due now. A deadline that has passed no longer holds.
--
--   ?1  seq  integer
--   ?2  now  integer, microseconds
UPDATE job
SET stage = 1, reason = NULL, run_at = ?2, attempt = 0, losses = 0, finished_at = NULL,
    deadline = iif(deadline <= ?2, NULL, deadline), revision = revision + 1
WHERE seq = ?1
