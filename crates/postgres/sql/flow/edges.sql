-- The edges between some jobs: by the order of the children as they are given, then in the order that the child gave them.
--
--   $1  ids    uuid[]
--   $2  limit  bigint
--
-- `OFFSET 0` keeps the planner from walking through edge where it takes it for empty. Index: the primary key of edge. No row:
-- there are none.
SELECT edge.parent, edge.child, edge.policy
FROM unnest($1) WITH ORDINALITY AS given (id, place)
CROSS JOIN LATERAL (
    SELECT edge.parent, edge.child, edge.policy, edge.position
    FROM windlass.edge
    WHERE edge.child = given.id
    OFFSET 0
) AS edge
JOIN unnest($1) AS known (id) ON known.id = edge.parent
ORDER BY given.place, edge.position
LIMIT $2
