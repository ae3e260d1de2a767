-- The first unfinished job that depends on a job. No row: there is none.
--
--   ?1  parent  blob, its id
--
-- Index: job_id, edge_parent.
SELECT child.id
FROM job AS parent
CROSS JOIN edge INDEXED BY edge_parent ON edge.parent = parent.seq
CROSS JOIN job AS child ON child.seq = edge.child
WHERE parent.id = ?1 AND child.stage < 5
ORDER BY edge.child
LIMIT 1
