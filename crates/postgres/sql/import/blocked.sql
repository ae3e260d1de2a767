-- Keeps how many parents blocked jobs wait for, that were made known in the same transaction.
--
--   $1  jobs   uuid[]
--   $2  waits  integer[]
INSERT INTO windlass.blocked (job, waits)
SELECT *
FROM unnest($1, $2)
