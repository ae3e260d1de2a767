-- Removes completed jobs of days without a partition that have been over for so long, with all that is kept of them.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  keep   bigint, microseconds
--   $3  limit  bigint
--
-- Index: completed_end; the primary keys of attempt, log and event. No row changed: there were none.
WITH old AS (
    DELETE FROM windlass.completed_rest
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM windlass.completed_rest
        WHERE finished_at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
        LIMIT $3
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
