-- Makes a token.
--
--   ?1  id          text
--   ?2  hash        blob
--   ?3  name        text
--   ?4  roles       text, words
--   ?5  queues      text, globs; NULL for all
--   ?6  expires_at  integer, microseconds; NULL for never
--   ?7  now         integer, microseconds
--   ?8  created_by  text
INSERT INTO token (id, hash, name, roles, queues, expires_at, created_at, created_by)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
