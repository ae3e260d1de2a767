-- The edges of some jobs to those they wait for: by the order of the children, then in the order that the child gave them.
--
--   ?1  children  array of integers, seqs in ascending order
--   ?2  limit     integer
--
-- Index: the primary key of edge, the rowid of job.
SELECT parent.id, child.id, edge.policy, edge.parent
FROM rarray(?1) AS wanted
CROSS JOIN edge ON edge.child = wanted.value
CROSS JOIN job AS parent ON parent.seq = edge.parent
CROSS JOIN job AS child ON child.seq = edge.child
ORDER BY edge.child, edge.position
LIMIT ?2
