-- What a job is connected with, itself first and the nearest after it.
--
--   ?1  id     blob
--   ?2  limit  integer
--
-- A recursive query answers its rows in the order in which it finds them, and stops where the limit does. Index: job_id, edge_parent. No row:
-- there is no such job.
WITH RECURSIVE reached (seq) AS (
    SELECT seq
    FROM job
    WHERE id = ?1
    UNION
    SELECT next.seq
    FROM reached
    CROSS JOIN (
        SELECT child AS of, parent AS seq
        FROM edge
        UNION ALL
        SELECT parent AS of, child AS seq
        FROM edge
    ) AS next ON next.of = reached.seq
)
SELECT seq
FROM reached
LIMIT ?2
