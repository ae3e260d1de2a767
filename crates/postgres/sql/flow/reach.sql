-- What a job is connected with, itself first and the nearest after it.
--
--   $1  id     uuid
--   $2  limit  bigint
--
-- A recursive query answers its rows in the order in which it finds them, and stops where the limit does. `OFFSET 0` keeps the
-- planner from walking through edge where it takes it for empty. Index: the primary key of edge, edge_parent. No row: never.
WITH RECURSIVE reached (id) AS (
    SELECT $1
    UNION
    SELECT next.id
    FROM reached
    CROSS JOIN LATERAL (
        SELECT edge.parent AS id
        FROM windlass.edge
        WHERE edge.child = reached.id
        UNION ALL
        SELECT edge.child
        FROM windlass.edge
        WHERE edge.parent = reached.id
        OFFSET 0
    ) AS next
)
SELECT id
FROM reached
LIMIT $2
