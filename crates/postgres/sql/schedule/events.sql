-- What was done by hand to schedules of a name, in order.
--
--   $1  schedule  text
--
-- Index: the primary key.
SELECT at, verb, actor, why, job
FROM windlass.schedule_event
WHERE schedule = $1
ORDER BY number
