-- A page of the children of a job, in the order in which they were enqueued.
--
--   ?1  parent  blob, its id
--   ?2  after   integer, the seq the page goes on from; NULL for the first
--   ?3  limit   integer
--
-- Index: job_id, edge_parent.
SELECT child.id, edge.policy, lane.kind, child.stage, child.reason, child.run_at, edge.child
FROM job AS parent
CROSS JOIN edge INDEXED BY edge_parent ON edge.parent = parent.seq
CROSS JOIN job AS child ON child.seq = edge.child
CROSS JOIN lane ON lane.id = abs(child.lane)
WHERE parent.id = ?1 AND (?2 IS NULL OR edge.child > ?2)
ORDER BY edge.child
LIMIT ?3
