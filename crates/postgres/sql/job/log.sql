-- Log lines of a job in order.
--
--   $1  id     uuid
--   $2  after  bigint, the line the page goes on from
--   $3  limit  bigint
SELECT attempt, at, level, message, line
FROM windlass.log
WHERE job = $1 AND line > $2
ORDER BY line
LIMIT $3
