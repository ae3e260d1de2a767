-- Removes jobs and all that is kept of them.
--
--   $1  ids  uuid[]
--
-- Index: the primary keys of job, attempt, log, event, review, edge and blocked; edge_parent; history_id. No row: there was none of them.
WITH attempts AS (
    DELETE FROM windlass.attempt
    WHERE job = ANY ($1)
),
lines AS (
    DELETE FROM windlass.log
    WHERE job = ANY ($1)
),
events AS (
    DELETE FROM windlass.event
    WHERE job = ANY ($1)
),
edges AS (
    DELETE FROM windlass.edge
    WHERE child = ANY ($1) OR parent = ANY ($1)
),
reviews AS (
    DELETE FROM windlass.review
    WHERE job = ANY ($1)
),
waits AS (
    DELETE FROM windlass.blocked
    WHERE job = ANY ($1)
),
ended AS (
    DELETE FROM windlass.history
    WHERE id = ANY ($1)
    RETURNING id
),
unfinished AS (
    DELETE FROM windlass.job
    WHERE id = ANY ($1)
    RETURNING id
)
SELECT id
FROM ended
UNION ALL
SELECT id
FROM unfinished
