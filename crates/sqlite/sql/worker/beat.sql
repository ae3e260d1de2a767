-- Extends the lease of a worker.
--
--   ?1  number       integer
--   ?2  now          integer, microseconds
--   ?3  lease_until  integer, microseconds
UPDATE worker
SET seen_at = ?2, lease_until = ?3
WHERE number = ?1
