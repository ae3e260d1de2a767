-- A page of the parents of a job, in the order of its edges.
--
--   ?1  child  blob, its id
--   ?2  after  integer, the position the page goes on from; NULL for the first
--   ?3  limit  integer
--
-- Index: job_id.
SELECT parent.id, edge.policy, lane.kind, parent.stage, parent.reason, parent.run_at, edge.position
FROM job AS child
CROSS JOIN edge ON edge.child = child.seq
CROSS JOIN job AS parent ON parent.seq = edge.parent
CROSS JOIN lane ON lane.id = abs(parent.lane)
WHERE child.id = ?1 AND (?2 IS NULL OR edge.position > ?2)
ORDER BY edge.position
LIMIT ?3
