-- Writes down the jobs that are meant.
--
--   $1  operation  bigint, a number
--   $2  pieces     bytea[]
INSERT INTO windlass.operation_jobs (operation, piece, ids)
SELECT $1, given.place - 1, given.ids
FROM unnest($2) WITH ORDINALITY AS given (ids, place)
