-- Removes jobs of one final stage but completed that have been over for so long, oldest first, with all that is kept of them.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  stage  smallint
--   $3  keep   bigint, microseconds
--   $4  limit  bigint
--
-- Index: failed_end; the primary keys of attempt, log and event. No row changed: there were none.
WITH old AS (
    DELETE FROM windlass.failed
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM windlass.failed
        WHERE stage = $2 AND finished_at <= coalesce($1, statement_timestamp()) - $3 * interval '1 microsecond'
        ORDER BY finished_at
        LIMIT $4
    ))
    RETURNING id
),
attempts AS (
    DELETE FROM windlass.attempt
    WHERE job = ANY (ARRAY(SELECT id FROM old))
),
lines AS (
    DELETE FROM windlass.log
    WHERE job = ANY (ARRAY(SELECT id FROM old))
),
events AS (
    DELETE FROM windlass.event
    WHERE job = ANY (ARRAY(SELECT id FROM old))
)
SELECT count(*)
FROM old
