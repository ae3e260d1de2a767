-- How long finished jobs of single queues are kept, by name.
--
-- Reads every one of them: a queue has one only if somebody said so.
SELECT queue, completed, cancelled, dead
FROM windlass.retention
ORDER BY queue COLLATE "C"
