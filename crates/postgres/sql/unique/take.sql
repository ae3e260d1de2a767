-- Takes keys that nobody has, and says which, in hexadecimal, and when, in microseconds, which is worked out once. Waits for
-- whoever has just taken one of them, in the order of the keys, so that two who ask for the same ones do not wait for one another.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  keys   bytea[]
--   $3  jobs   uuid[]
--   $4  holds  smallint[]
--   $5  spans  bigint[], microseconds from now on for which a key is kept in any case; NULL for none
--
-- Index: the primary key of unique_key, which decides. No row: somebody has each of them.
INSERT INTO windlass.unique_key (key, job, hold, until)
SELECT given.key, given.job, given.hold, coalesce($1, statement_timestamp()) + given.span * interval '1 microsecond'
FROM unnest($2, $3, $4, $5) AS given (key, job, hold, span)
ORDER BY given.key
ON CONFLICT (key) DO NOTHING
RETURNING concat(encode(key, 'hex'), ' ', (SELECT (extract(epoch FROM coalesce($1, statement_timestamp())) * 1000000)::bigint)) AS said
