-- Lets a queue be claimed from again; tells whether it was paused. Reads every lane. No row: there never was such a queue.
--
--   $1  name  text
WITH resumed AS (
    UPDATE windlass.queue
    SET paused_at = NULL, paused_by = NULL, paused_why = NULL
    WHERE name = $1 AND paused_at IS NOT NULL
    RETURNING name
)
SELECT name, true AS resumed
FROM resumed
UNION ALL
SELECT name, false
FROM windlass.queue
WHERE name = $1
UNION ALL
SELECT queue, false
FROM windlass.lane
WHERE queue = $1
ORDER BY resumed DESC
LIMIT 1
