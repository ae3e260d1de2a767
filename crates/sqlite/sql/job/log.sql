-- Log lines of a job in order.
--
--   ?1  id     blob
--   ?2  after  integer, the line the page goes on from; NULL for the first
--   ?3  limit  integer
SELECT attempt, at, level, message, line
FROM log
WHERE job = ?1 AND (?2 IS NULL OR line > ?2)
ORDER BY line
LIMIT ?3
