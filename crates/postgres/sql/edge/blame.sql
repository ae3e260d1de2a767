-- For each job that is closed, the first of its parents in the order of its edges that did not complete, and its stage.
--
--   $1  closed  uuid[], which count as cancelled already
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: the primary keys of
-- edge and job, history_id. No row: nobody is to blame.
SELECT DISTINCT ON (given.id) given.id, edge.parent, coalesce(ended.stage, 6::smallint)
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT edge.parent, edge.position
    FROM windlass.edge
    WHERE edge.child = given.id AND edge.policy = 1
    OFFSET 0
) AS edge
LEFT JOIN LATERAL (
    SELECT history.stage
    FROM windlass.history
    WHERE history.id = edge.parent
    OFFSET 0
) AS ended ON true
WHERE edge.parent = ANY ($1) OR ended.stage <> 5 OR EXISTS (
    SELECT
    FROM windlass.job
    WHERE job.id = edge.parent AND job.stage = 6
    OFFSET 0
)
ORDER BY given.id, edge.position
