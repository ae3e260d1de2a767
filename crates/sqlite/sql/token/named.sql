-- Whether a token that is not revoked has this name. No row: none has.
--
--   ?1  name  text
--
-- Index: token_name.
SELECT 1
FROM token
WHERE name = ?1 AND revoked_at IS NULL
