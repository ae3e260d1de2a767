-- Every queue that was ever used or paused, with its pause.
--
-- Reads every queue and lane.
SELECT name, paused_at, paused_by, paused_why
FROM queue
UNION ALL
SELECT DISTINCT lane.queue, NULL, NULL, NULL
FROM lane
WHERE lane.queue NOT IN (SELECT name FROM queue)
ORDER BY 1
