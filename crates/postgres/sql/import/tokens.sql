-- Takes over tokens in this order. One that is here already stays; one whose name another has that is not revoked is left out.
--
--   $1  ids          text[]
--   $2  hashes       bytea[]
--   $3  names        text[]
--   $4  roles        text[], words
--   $5  queues       text[], globs; NULL for all
--   $6  expires_at   timestamptz[]; NULL for never
--   $7  created_at   timestamptz[]
--   $8  created_by   text[]
--   $9  revoked_at   timestamptz[]; NULL if it was not
--   $10 used_at      timestamptz[]; NULL for never
--
-- Index: token_id_key and token_name decide.
INSERT INTO windlass.token (id, hash, name, roles, queues, expires_at, created_at, created_by, revoked_at, used_at)
SELECT given.id, given.hash, given.name, given.roles, given.queues, given.expires_at, given.created_at, given.created_by,
    given.revoked_at, given.used_at
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
    AS given (id, hash, name, roles, queues, expires_at, created_at, created_by, revoked_at, used_at, place)
ORDER BY given.place
ON CONFLICT DO NOTHING
