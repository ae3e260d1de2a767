-- The blocked jobs that wait for some jobs.
--
--   ?1  parents  array of blobs, their ids
--
-- Index: job_id, edge_parent.
SELECT DISTINCT child.id
FROM rarray(?1) AS wanted
CROSS JOIN job AS parent ON parent.id = wanted.value
CROSS JOIN edge INDEXED BY edge_parent ON edge.parent = parent.seq
CROSS JOIN job AS child ON child.seq = edge.child
WHERE child.stage = 2
