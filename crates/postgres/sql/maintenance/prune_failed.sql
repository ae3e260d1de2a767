-- Removes jobs of one final stage but completed that have been over for so long, oldest first, with all that is kept of them.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  stage  smallint
--   $3  keep   bigint, microseconds
--   $4  limit  bigint
--   $5  queues  text[]; NULL for all
--   $6  others  text[], queues that are left alone
--
-- Those that an unfinished job depends on stay: 2 says that others wait for a job or did, 4 that it did for others.
-- Index: failed_end; the primary keys of attempt, log, event and edge; edge_parent. No row changed: there were none.
WITH old AS (
    DELETE FROM windlass.failed
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM windlass.failed
        WHERE stage = $2 AND finished_at <= coalesce($1, statement_timestamp()) - $3 * interval '1 microsecond'
            AND ($5 IS NULL OR failed.lane = ANY (ARRAY(SELECT lane.id FROM windlass.lane WHERE lane.queue = ANY ($5))))
            AND failed.lane <> ALL (ARRAY(SELECT lane.id FROM windlass.lane WHERE lane.queue = ANY ($6)))
            AND (traits & 2 = 0 OR NOT windlass.is_needed(id))
        ORDER BY finished_at
        LIMIT $4
    ))
    RETURNING id, traits
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
),
reviews AS (
    DELETE FROM windlass.review
    WHERE job = ANY (ARRAY(SELECT id FROM old WHERE traits & 32 <> 0))
),
edges AS (
    DELETE FROM windlass.edge
    WHERE child = ANY (ARRAY(SELECT id FROM old WHERE traits & 4 <> 0))
        OR parent = ANY (ARRAY(SELECT id FROM old WHERE traits & 2 <> 0))
)
SELECT count(*)
FROM old
