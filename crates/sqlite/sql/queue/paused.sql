-- The names of paused queues.
--
-- Reads every queue that was ever paused; there are few. No row: none is.
SELECT name
FROM queue
WHERE paused_at IS NOT NULL
