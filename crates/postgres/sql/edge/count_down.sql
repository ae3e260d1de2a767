-- Counts parents that have ended off their blocked children; answers the children that wait for none any more.
--
--   $1  completed  uuid[]
--   $2  failed     uuid[], that ended without success: for children that wait for any end
--
-- Children are locked in the order in which they were enqueued: the same for everyone who locks more than one. `OFFSET 0` and
-- `ANY` keep the planner from walking through whole tables where it takes them for empty; what is touched and what is held are
-- brought together by grouping, as a join of the two is slow where the planner takes them for small. 2 is the policy of who
-- waits for any end, and the stage of who is blocked. Index: edge_parent, the primary keys of job and blocked. No row: none.
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
given AS MATERIALIZED (
    SELECT either.child, sum(either.parents)::integer AS parents
    FROM (
        SELECT touched.child, touched.parents, false AS held
        FROM touched
        UNION ALL
        SELECT held.id, 0, true
        FROM held
    ) AS either
    GROUP BY either.child
    HAVING bool_or(either.held)
),
counted AS (
    UPDATE windlass.blocked
    SET waits = blocked.waits - given.parents
    FROM given
    WHERE blocked.job = ANY (ARRAY[given.child])
    RETURNING blocked.job, blocked.waits
)
SELECT job
FROM counted
WHERE waits <= 0
