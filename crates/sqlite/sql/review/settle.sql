-- Lets a job wait, due now and before all others, for what was decided to be carried out.
--
--   ?1  seq     integer
--   ?2  traits  integer, with the decision and the priority it asked for
--   ?3  now     integer, microseconds
UPDATE job
SET stage = 1, reason = NULL, priority = 0, traits = ?2, run_at = ?3, attempt = 0, losses = 0, checkpoint = NULL,
    revision = revision + 1
WHERE seq = ?1
