-- The blocked jobs that wait for a job.
--
--   ?1  parent  blob, its id
--
-- Index: job_id, edge_parent.
SELECT child.id, edge.policy
FROM job AS parent
CROSS JOIN edge INDEXED BY edge_parent ON edge.parent = parent.seq
CROSS JOIN job AS child ON child.seq = edge.child
WHERE parent.id = ?1 AND child.stage = 2
ORDER BY edge.child
