-- The parents of a job, in the order of its edges.
--
--   ?1  child  blob, its id
--
-- Index: job_id.
SELECT parent.id
FROM job AS child
CROSS JOIN edge ON edge.child = child.seq
CROSS JOIN job AS parent ON parent.seq = edge.parent
WHERE child.id = ?1
ORDER BY edge.position
