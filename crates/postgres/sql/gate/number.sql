-- Numbers for exclusive grants, each larger than all that were given out before.
--
--   $1  count  bigint
--
-- Index: none; it reads a sequence.
SELECT nextval('windlass.fence'::regclass)
FROM generate_series(1, $1)
