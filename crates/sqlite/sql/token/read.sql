-- A token. No row: there is none of this id.
--
--   ?1  id  text
--
-- Index: that of the unique ids of token.
SELECT id, hash, name, roles, queues, expires_at, created_at, created_by, revoked_at, number, used_at
FROM token
WHERE id = ?1
