-- Drops the partition of a day with all its jobs; answers how many there were, NULL if it gave way to somebody.
--
--   $1  schema  text
--   $2  starts  timestamptz, of the day
SELECT windlass.drop_day($1, $2)
