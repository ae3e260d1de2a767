-- Which blocked jobs will never run when these have failed, and those that these fail, and so on.
--
--   $1  failed  uuid[], that ended without success
--   $2  closed  uuid[], blocked jobs of which it is known already
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. 1 is the policy of who waits for
-- success, 2 the stage of who is blocked. Index: edge_parent, the primary key of job. No row: none.
WITH RECURSIVE closing (id, is_blocked) AS (
    SELECT given.id, false
    FROM unnest($1) AS given (id)
    UNION
    SELECT given.id, true
    FROM unnest($2) AS given (id)
    UNION
    SELECT child.id, true
    FROM closing
    CROSS JOIN LATERAL (
        SELECT edge.child
        FROM windlass.edge
        WHERE edge.parent = closing.id AND edge.policy = 1
        OFFSET 0
    ) AS next
    CROSS JOIN LATERAL (
        SELECT job.id
        FROM windlass.job
        WHERE job.id = next.child AND job.stage = 2
        OFFSET 0
    ) AS child
)
SELECT DISTINCT id
FROM closing
WHERE is_blocked
