-- The operation that waits the longest for somebody to take it up, in the columns of lock.sql; locks it. No row: none does that
-- nobody else takes up right now.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Index: operation_free.
SELECT record, number, nonce, free_at, coalesce($1, statement_timestamp())
FROM windlass.operation
WHERE free_at <= coalesce($1, statement_timestamp())
ORDER BY free_at, number
LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED
