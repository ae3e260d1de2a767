-- A page of what the parents of a job have made, in the order of its edges: parents.sql with results and errors.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  child  uuid
--   $3  after  bigint, the position the page goes on from; NULL for the first
--   $4  limit  bigint
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: the primary keys of edge
-- and job, history_id. No row: there are none on this page.
SELECT parent.id, edge.policy, lane.kind, parent.stage, parent.reason, parent.run_at, edge.position::bigint, parent.holder,
    coalesce($1, statement_timestamp()), parent.result, parent.error
FROM (
    SELECT edge.parent, edge.policy, edge.position
    FROM windlass.edge
    WHERE edge.child = $2 AND ($3 IS NULL OR edge.position > $3)
    ORDER BY edge.position
    LIMIT $4
) AS edge
CROSS JOIN LATERAL (
    SELECT job.id, job.lane, job.stage, job.reason, job.run_at, job.holder, NULL::text AS result, (job.more).error AS error
    FROM windlass.job
    WHERE job.id = edge.parent
    UNION ALL
    SELECT history.id, history.lane, history.stage, history.reason, history.run_at, 0, history.result, (history.more).error
    FROM windlass.history
    WHERE history.id = edge.parent
    OFFSET 0
) AS parent
JOIN windlass.lane ON lane.id = abs(parent.lane)
ORDER BY edge.position
