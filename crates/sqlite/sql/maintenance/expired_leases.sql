-- Open attempts whose own lease has run out.
--
--   ?1  now    integer, microseconds
--   ?2  limit  integer
--
-- Index: lease_until.
SELECT job.id
FROM lease
CROSS JOIN job ON job.seq = lease.seq
WHERE lease.until <= ?1
ORDER BY lease.until, lease.seq
LIMIT ?2
