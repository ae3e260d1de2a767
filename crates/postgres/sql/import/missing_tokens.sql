-- The names of those tokens that are not here.
--
--   $1  ids    text[]
--   $2  names  text[]
--
-- Index: token_id_key. No row: all are here.
SELECT given.name
FROM unnest($1, $2) WITH ORDINALITY AS given (id, name, place)
WHERE NOT EXISTS (SELECT FROM windlass.token WHERE token.id = given.id)
ORDER BY given.place
