-- Makes a token. No row: there is one of this id already.
--
--   $1  now         timestamptz; NULL for the server's
--   $2  id          text
--   $3  hash        bytea
--   $4  name        text
--   $5  roles       text, words
--   $6  queues      text, globs; NULL for all
--   $7  expires_at  timestamptz; NULL for never
--   $8  created_by  text
--
-- Index: token_id_key. So it is where another one that is not revoked has the name: token_name.
INSERT INTO windlass.token (id, hash, name, roles, queues, expires_at, created_at, created_by)
VALUES ($2, $3, $4, $5, $6, $7, coalesce($1, statement_timestamp()), $8)
ON CONFLICT DO NOTHING
RETURNING id
