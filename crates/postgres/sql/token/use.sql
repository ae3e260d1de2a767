-- Notes that a token was used, unless that was noted lately. No row: there is none of this id.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  id     text
--   $3  grain  bigint, microseconds
--
-- Index: token_id_key.
WITH used AS (
    UPDATE windlass.token
    SET used_at = coalesce($1, statement_timestamp())
    WHERE id = $2
        AND (used_at IS NULL OR used_at <= coalesce($1, statement_timestamp()) - $3 * interval '1 microsecond')
)
SELECT id
FROM windlass.token
WHERE id = $2
