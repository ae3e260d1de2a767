-- Forgets answers that nobody asks for any more.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  kept   bigint, microseconds
--   $3  limit  bigint
--
-- Index: answer_at.
DELETE FROM windlass.answer
WHERE id = ANY (ARRAY(
    SELECT id
    FROM windlass.answer
    WHERE at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
    ORDER BY at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
