-- Lets a job wait like any other that waits for no parent any more, and answers what it uses. No row: there is no such job.
--
--   ?1  id  blob
--
-- Index: job_id.
UPDATE job
SET stage = 1, reason = NULL, revision = revision + 1
WHERE id = ?1
RETURNING traits
