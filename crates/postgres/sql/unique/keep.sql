-- Says who has keys from now on, which the same transaction has locked or takes back.
--
--   $1  keys     bytea[]
--   $2  jobs     uuid[]
--   $3  holds    smallint[]
--   $4  untils   timestamptz[]; NULL for as long as the hold says
--   $5  nexts    uuid[]; NULL if nobody waits for it
--   $6  free_at  timestamptz[]; NULL for none
--
-- `ANY` makes the planner look each key up: where it takes the table for empty, it would rather walk through all of them.
-- Index: the primary key of unique_key. No row changed: it is not there.
UPDATE windlass.unique_key
SET job = given.job, hold = given.hold, until = given.until, next = given.next, free_at = given.free_at
FROM unnest($1, $2, $3, $4, $5, $6) AS given (key, job, hold, until, next, free_at)
WHERE unique_key.key = ANY (ARRAY[given.key])
