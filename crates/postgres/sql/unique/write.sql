-- Says who has keys from now on, if the rows are those that were read.
--
--   $1  keys          bytea[]
--   $2  before_jobs   uuid[]
--   $3  before_nexts  uuid[]; NULL for none
--   $4  before_holds  smallint[]
--   $5  jobs          uuid[]
--   $6  holds         smallint[]
--   $7  untils        timestamptz[]; NULL for as long as the hold says
--   $8  nexts         uuid[]; NULL if nobody waits for it
--   $9  free_at       timestamptz[]; NULL for none
--
-- `ANY` makes the planner look each key up: where it takes the table for empty, it would rather walk through all of them.
-- Index: the primary key of unique_key. No row: it is another's by now.
UPDATE windlass.unique_key
SET job = given.job, hold = given.hold, until = given.until, next = given.next, free_at = given.free_at
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
    AS given (key, before_job, before_next, before_hold, job, hold, until, next, free_at)
WHERE unique_key.key = ANY (ARRAY[given.key]) AND unique_key.job IS NOT DISTINCT FROM given.before_job
    AND unique_key.hold = given.before_hold AND unique_key.next IS NOT DISTINCT FROM given.before_next
RETURNING encode(unique_key.key, 'hex') AS said
