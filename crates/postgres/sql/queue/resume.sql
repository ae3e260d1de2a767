-- Lets a queue be claimed from again. Reads every lane. No row: there never was such a queue.
--
--   $1  name  text
WITH resumed AS (
    UPDATE windlass.queue
    SET paused_at = NULL, paused_by = NULL, paused_why = NULL
    WHERE name = $1
    RETURNING name
)
SELECT name
FROM resumed
UNION ALL
SELECT queue
FROM windlass.lane
WHERE queue = $1
