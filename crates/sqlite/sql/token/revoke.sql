-- Revokes a token.
--
--   ?1  id   text
--   ?2  now  integer, microseconds
--
-- Index: that of the unique ids of token. No row changed: it was revoked before.
UPDATE token
SET revoked_at = ?2
WHERE id = ?1 AND revoked_at IS NULL
