-- How many jobs have an edge to a job. No row: never, it counts.
--
--   ?1  parent  blob, its id
--
-- Index: job_id, edge_parent.
SELECT count(*)
FROM job AS parent
CROSS JOIN edge INDEXED BY edge_parent ON edge.parent = parent.seq
WHERE parent.id = ?1
