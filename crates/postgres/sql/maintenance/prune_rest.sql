-- Removes completed jobs of days without a partition that have been over for so long, with all that is kept of them.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  keep   bigint, microseconds
--   $3  limit  bigint
--   $4  queues  text[]; NULL for all
--   $5  others  text[], queues that are left alone
--
-- Those that an unfinished job depends on stay: 2 says that others wait for a job or did, 4 that it did for others.
-- Index: completed_order; the primary keys of attempt, log, event and edge; edge_parent. No row changed: there were none.
WITH old AS (
    DELETE FROM windlass.completed_rest
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM windlass.completed_rest
        WHERE finished_at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
            AND ($4 IS NULL OR completed_rest.lane = ANY (ARRAY(SELECT lane.id FROM windlass.lane WHERE lane.queue = ANY ($4))))
            AND completed_rest.lane <> ALL (ARRAY(SELECT lane.id FROM windlass.lane WHERE lane.queue = ANY ($5)))
            AND (traits & 2 = 0 OR NOT windlass.is_needed(id))
        LIMIT $3
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
