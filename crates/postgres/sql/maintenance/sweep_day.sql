-- Removes what is kept beside the jobs in some pages of a day: attempts, log lines, events and edges.
--
--   $1  starts  timestamptz, of the day
--   $2  first   bigint, the first page
--   $3  until   bigint, the page behind the last one
--
-- Of most jobs there is nothing. One that had another attempt has a higher number, one that logged has bytes, and whatever
-- was done to it by hand made a further revision; 2 and 4 of its traits say that it has edges. Those that an unfinished job
-- depends on are not dropped with their day.
-- Index: the primary keys of attempt, log and event; reads every row of those pages. No row changed: there is nothing.
WITH swept AS MATERIALIZED (
    SELECT id, traits
    FROM windlass.completed
    WHERE finished_at >= $1 AND finished_at < $1 + interval '24 hours'
        AND ctid >= format('(%s,0)', $2)::tid AND ctid < format('(%s,0)', $3)::tid
        AND (number > 1 OR (more).log_bytes > 0 OR revision > 3 OR traits & 6 <> 0)
        AND (traits & 2 = 0 OR NOT windlass.is_needed(id))
),
attempts AS (
    DELETE FROM windlass.attempt
    WHERE job = ANY (ARRAY(SELECT id FROM swept))
),
lines AS (
    DELETE FROM windlass.log
    WHERE job = ANY (ARRAY(SELECT id FROM swept))
),
events AS (
    DELETE FROM windlass.event
    WHERE job = ANY (ARRAY(SELECT id FROM swept))
),
reviews AS (
    DELETE FROM windlass.review
    WHERE job = ANY (ARRAY(SELECT id FROM swept WHERE traits & 32 <> 0))
),
edges AS (
    DELETE FROM windlass.edge
    WHERE child = ANY (ARRAY(SELECT id FROM swept WHERE traits & 4 <> 0))
        OR parent = ANY (ARRAY(SELECT id FROM swept WHERE traits & 2 <> 0))
)
SELECT count(*)
FROM swept
