-- A token. No row: there is none of this id.
--
--   $1  id  text
--
-- Index: token_id_key.
SELECT id, hash, name, roles, queues, expires_at, created_at, created_by, revoked_at, number, used_at
FROM windlass.token
WHERE id = $1
