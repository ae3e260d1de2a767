-- Counts parents that have ended off their blocked children; answers the children that wait for none any more.
--
--   $1  completed  uuid[]
--   $2  failed     uuid[], that ended without success: for children that wait for any end
--
-- Children are locked in the order in which they were enqueued: the same for everyone who locks more than one. `OFFSET 0` keeps
-- the planner from walking through whole tables where it takes them for empty. 2 is the policy of who waits for any end, and
-- the stage of who is blocked. Index: edge_parent, the primary keys of job and blocked. No row: none.
WITH touched AS MATERIALIZED (
    SELECT next.child, count(*)::integer AS parents
    FROM (
        SELECT id, true AS completed
        FROM unnest($1) AS given (id)
        UNION ALL
        SELECT id, false
        FROM unnest($2) AS given (id)
    ) AS ended
    CROSS JOIN LATERAL (
        SELECT edge.child, edge.policy
        FROM windlass.edge
        WHERE edge.parent = ended.id
        OFFSET 0
    ) AS next
    WHERE ended.completed OR next.policy = 2
    GROUP BY next.child
),
held AS MATERIALIZED (
    SELECT job.id
    FROM windlass.job
    WHERE job.id = ANY (ARRAY(SELECT child FROM touched)) AND job.stage = 2
    ORDER BY job.seq
    FOR NO KEY UPDATE
),
counted AS (
    UPDATE windlass.blocked
    SET waits = blocked.waits - touched.parents
    FROM touched
    WHERE blocked.job = touched.child AND blocked.job = ANY (ARRAY(SELECT id FROM held))
    RETURNING blocked.job, blocked.waits
)
SELECT job
FROM counted
WHERE waits <= 0
