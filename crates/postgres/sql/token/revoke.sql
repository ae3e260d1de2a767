-- Revokes a token. No row: there is none of this id, or it was revoked before.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   text
--
-- Index: token_id_key.
UPDATE windlass.token
SET revoked_at = coalesce($1, statement_timestamp())
WHERE id = $2 AND revoked_at IS NULL
RETURNING id
