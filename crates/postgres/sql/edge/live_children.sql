-- The first unfinished job that depends on each of some.
--
--   $1  parents  uuid[]
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: edge_parent, the primary
-- key of job. No row: nobody does.
SELECT DISTINCT ON (edge.parent) edge.parent, child.id
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT edge.parent, edge.child
    FROM windlass.edge
    WHERE edge.parent = given.id
    OFFSET 0
) AS edge
CROSS JOIN LATERAL (
    SELECT job.id, job.seq
    FROM windlass.job
    WHERE job.id = edge.child AND job.stage <> 6
    OFFSET 0
) AS child
ORDER BY edge.parent, child.seq
