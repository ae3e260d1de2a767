-- A worker that is known and whose lease holds. No row: it is unknown, gone or expired.
--
--   ?1  id   blob
--   ?2  now  integer, microseconds
--
-- Index: that of the unique id.
SELECT number, lease_until, lease, stopping
FROM worker
WHERE id = ?1 AND gone_at IS NULL AND lease_until > ?2
