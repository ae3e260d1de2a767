-- Tokens, the newest first.
--
--   ?1  before  integer, a number
--   ?2  limit   integer
--
-- Index: the primary key of token.
SELECT id, hash, name, roles, queues, expires_at, created_at, created_by, revoked_at, number, used_at
FROM token
WHERE number < ?1
ORDER BY number DESC
LIMIT ?2
