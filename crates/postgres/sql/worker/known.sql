-- A worker that has not left, and whether its lease holds; locks it against every other change.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: worker_id_key. No row: it is unknown or gone.
SELECT number, lease_until > coalesce($1, statement_timestamp()), lease_until
FROM windlass.worker
WHERE id = $2 AND gone_at IS NULL
FOR UPDATE
