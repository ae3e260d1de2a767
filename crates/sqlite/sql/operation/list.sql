-- Operations, the last first.
--
--   ?1  before  integer, a number
--   ?2  limit   integer
--
-- Index: the primary key of operation.
SELECT record, number
FROM operation
WHERE number < ?1
ORDER BY number DESC
LIMIT ?2
