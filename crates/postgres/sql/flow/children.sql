-- A page of the children of a job, in the order in which they were enqueued, in the columns of parents.sql. Reads every child of
-- the job.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  parent  uuid
--   $3  after   bigint, the seq the page goes on from; NULL for the first
--   $4  limit   bigint
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: edge_parent, the primary
-- key of job, history_id. No row: there are none on this page.
SELECT child.id, edge.policy, lane.kind, child.stage, child.reason, child.run_at, child.seq, child.holder,
    coalesce($1, statement_timestamp())
FROM (
    SELECT edge.child, edge.policy
    FROM windlass.edge
    WHERE edge.parent = $2
    OFFSET 0
) AS edge
CROSS JOIN LATERAL (
    SELECT job.id, job.seq, job.lane, job.stage, job.reason, job.run_at, job.holder
    FROM windlass.job
    WHERE job.id = edge.child
    UNION ALL
    SELECT history.id, history.seq, history.lane, history.stage, history.reason, history.run_at, 0
    FROM windlass.history
    WHERE history.id = edge.child
    OFFSET 0
) AS child
JOIN windlass.lane ON lane.id = abs(child.lane)
WHERE $3 IS NULL OR child.seq > $3
ORDER BY child.seq
LIMIT $4
