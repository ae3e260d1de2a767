-- Whether a lane's queue is paused. Reads every lane. No row: it is not.
--
--   $1  lane  integer
SELECT queue.name
FROM windlass.lane
JOIN windlass.queue ON queue.name = lane.queue
WHERE lane.id = $1 AND queue.paused_at IS NOT NULL
