-- The operation that waits the longest for somebody to take it up. No row: none does.
--
--   ?1  now  integer, microseconds
--
-- Index: operation_free.
SELECT record, number, nonce, free_at
FROM operation
WHERE free_at <= ?1
ORDER BY free_at, number
LIMIT 1
