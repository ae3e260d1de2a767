-- Keeps log lines of jobs that were made known in the same transaction.
--
--   $1  jobs      uuid[]
--   $2  lines     bigint[], 1 the first of each job
--   $3  attempts  bigint[]
--   $4  at        timestamptz[]
--   $5  levels    smallint[]
--   $6  messages  text[]
INSERT INTO windlass.log (job, line, attempt, at, level, message)
SELECT *
FROM unnest($1, $2, $3, $4, $5, $6)
