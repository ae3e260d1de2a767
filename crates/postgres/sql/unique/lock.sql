-- Locks keys in their order.
--
--   $1  keys  bytea[]
--
-- Index: the primary key of unique_key. No row: nobody has them any more.
SELECT encode(key, 'hex') AS said
FROM windlass.unique_key
WHERE key = ANY ($1)
ORDER BY key
FOR UPDATE
