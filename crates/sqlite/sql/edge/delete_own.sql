-- Removes the edges from a job to those it waited for.
--
--   ?1  id  blob
--
-- Index: job_id.
DELETE FROM edge
WHERE child = (SELECT seq FROM job WHERE id = ?1)
