-- Every queue that was ever used or paused, with its pause, by name.
--
-- Reads every queue and lane.
SELECT name COLLATE "C" AS name, paused_at, paused_by, paused_why
FROM windlass.queue
UNION ALL
SELECT DISTINCT lane.queue COLLATE "C", NULL::timestamptz, NULL, NULL
FROM windlass.lane
WHERE lane.queue NOT IN (SELECT queue.name FROM windlass.queue)
ORDER BY name
