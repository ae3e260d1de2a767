-- A worker whose lease holds.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: worker_id_key. No row: it is unknown, gone or expired.
SELECT number, lease_until
FROM windlass.worker
WHERE id = $2 AND gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
