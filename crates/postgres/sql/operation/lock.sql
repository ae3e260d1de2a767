-- An operation, and the time; locks it. No row: there is none of this id.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: operation_id_key.
SELECT record, number, nonce, free_at, coalesce($1, statement_timestamp())
FROM windlass.operation
WHERE id = $2
FOR NO KEY UPDATE
