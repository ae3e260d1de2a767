-- Puts off schedules that cannot be read, and says why.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  ids       bigint[]
--   $3  errors    text[]
--   $4  wait      bigint, microseconds
--
-- Index: the primary key.
UPDATE windlass.schedule
SET error = given.error, look_at = coalesce($1, statement_timestamp()) + $4 * interval '1 microsecond',
    revision = schedule.revision + 1
FROM unnest($2, $3) AS given (id, error)
WHERE schedule.id = given.id
