-- Workers whose lease has run out.
--
--   ?1  now  integer, microseconds
--
-- Index: worker_here.
SELECT number
FROM worker INDEXED BY worker_here
WHERE gone_at IS NULL AND lease_until <= ?1
