-- Whether the lease of a worker holds. No row: it is gone or expired.
--
--   ?1  number  integer
--   ?2  now     integer, microseconds
SELECT 1
FROM worker
WHERE number = ?1 AND gone_at IS NULL AND lease_until > ?2
