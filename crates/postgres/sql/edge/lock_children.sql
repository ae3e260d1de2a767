-- Locks blocked jobs and the blocked children of some, in the order in which they were enqueued: the same for everyone who
-- locks more than one.
--
--   $1  ids      uuid[]
--   $2  parents  uuid[]
--
-- Index: edge_parent, the primary key of job. No row: there are none.
SELECT id
FROM windlass.job
WHERE id = ANY ($1 || ARRAY(SELECT edge.child FROM windlass.edge WHERE edge.parent = ANY ($2))) AND stage = 2
ORDER BY seq
FOR NO KEY UPDATE
