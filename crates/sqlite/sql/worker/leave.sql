-- Marks a worker as gone.
--
--   ?1  number  integer
--   ?2  now     integer, microseconds
UPDATE worker
SET gone_at = ?2
WHERE number = ?1
