-- Takes over who has unique keys. Those that are here already stay.
--
--   $1  keys     bytea[]
--   $2  jobs     uuid[]
--   $3  holds    smallint[]
--   $4  untils   timestamptz[]; NULL for as long as the hold says
--   $5  nexts    uuid[]; NULL if nobody waits for it
--   $6  free_at  timestamptz[]; NULL for none
INSERT INTO windlass.unique_key (key, job, hold, until, next, free_at)
SELECT given.key, given.job, given.hold, given.until, given.next, given.free_at
FROM unnest($1, $2, $3, $4, $5, $6) AS given (key, job, hold, until, next, free_at)
ORDER BY given.key
ON CONFLICT (key) DO NOTHING
