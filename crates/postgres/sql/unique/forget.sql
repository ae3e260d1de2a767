-- Forgets keys whose jobs have ended and that are kept no longer.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Index: unique_key_over.
DELETE FROM windlass.unique_key
WHERE key = ANY (ARRAY(
    SELECT key
    FROM windlass.unique_key
    WHERE hold = 0 AND until <= coalesce($1, statement_timestamp())
    ORDER BY until
    LIMIT $2
    FOR UPDATE SKIP LOCKED
))
