-- Removes the edges to a job from those that waited for it.
--
--   ?1  id  blob
--
-- Index: job_id, edge_parent.
DELETE FROM edge
WHERE parent = (SELECT seq FROM job WHERE id = ?1)
