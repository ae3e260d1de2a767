-- The parents of some jobs, and how many jobs have an edge to each of those.
--
--   $1  children  uuid[]
--
-- `OFFSET 0` keeps the planner from walking through edge where it takes it for empty. Index: the primary key of edge,
-- edge_parent. No row: none of them waited for anything.
SELECT edge.child, edge.parent, others.count
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT edge.child, edge.parent, edge.position
    FROM windlass.edge
    WHERE edge.child = given.id
    OFFSET 0
) AS edge
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM windlass.edge AS other
    WHERE other.parent = edge.parent
    OFFSET 0
) AS others
ORDER BY edge.child, edge.position
