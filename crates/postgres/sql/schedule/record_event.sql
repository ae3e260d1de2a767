-- Notes a change by hand, and removes the one that is too many by it. The schedule's row is locked, so numbers do not meet.
--
--   $1  now       timestamptz
--   $2  schedule  text
--   $3  verb      text
--   $4  actor     text
--   $5  why       text; NULL for no reason
--   $6  job       uuid; NULL for none
--   $7  kept      integer
--
-- Index: the primary key of schedule_event.
WITH last AS (
    SELECT coalesce(max(number), 0) AS number
    FROM windlass.schedule_event
    WHERE schedule = $2
),
gone AS (
    DELETE FROM windlass.schedule_event
    USING last
    WHERE schedule_event.schedule = $2 AND schedule_event.number <= last.number + 1 - $7
)
INSERT INTO windlass.schedule_event (schedule, number, at, verb, actor, why, job)
SELECT $2, last.number + 1, $1, $3, $4, $5, $6
FROM last
