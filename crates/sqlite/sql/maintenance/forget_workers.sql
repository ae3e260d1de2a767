-- Forgets workers that left before the oldest job here was enqueued: no row can name them.
--
-- Reads every worker, and the first job. No row changed: there are none.
DELETE FROM worker
WHERE gone_at IS NOT NULL AND gone_at < coalesce((SELECT min(created_at) FROM (SELECT created_at FROM job ORDER BY seq LIMIT 1)), gone_at + 1)
