-- Operations, the last first.
--
--   $1  before  bigint, a number
--   $2  limit   bigint
--
-- Index: the primary key of operation.
SELECT record, number
FROM windlass.operation
WHERE number < $1
ORDER BY number DESC
LIMIT $2
