-- Removes what is kept beside the jobs in some pages of a day: attempts, log lines and events.
--
--   $1  starts  timestamptz, of the day
--   $2  first   bigint, the first page
--   $3  until   bigint, the page behind the last one
--
-- Of most jobs there is nothing. One that had another attempt has a higher number, one that logged has bytes, and whatever
-- was done to it by hand made a further revision.
-- Index: the primary keys of attempt, log and event; reads every row of those pages. No row changed: there is nothing.
WITH swept AS MATERIALIZED (
    SELECT id
    FROM windlass.completed
    WHERE finished_at >= $1 AND finished_at < $1 + interval '24 hours'
        AND ctid >= format('(%s,0)', $2)::tid AND ctid < format('(%s,0)', $3)::tid
        AND (number > 1 OR log_bytes > 0 OR revision > 3)
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
)
SELECT count(*)
FROM swept
