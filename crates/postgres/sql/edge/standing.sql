-- The parents of some jobs with their stages, in the order of the edges of each. Of one that is running or waits, the stage is
-- that of waiting.
--
--   $1  children  uuid[]
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: the primary keys of
-- edge and job, history_id. No row: none of them waited for anything.
SELECT edge.child, edge.parent, edge.policy, parent.stage
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT edge.child, edge.parent, edge.policy, edge.position
    FROM windlass.edge
    WHERE edge.child = given.id
    OFFSET 0
) AS edge
CROSS JOIN LATERAL (
    SELECT job.stage
    FROM windlass.job
    WHERE job.id = edge.parent
    UNION ALL
    SELECT history.stage
    FROM windlass.history
    WHERE history.id = edge.parent
    OFFSET 0
) AS parent
ORDER BY edge.child, edge.position
