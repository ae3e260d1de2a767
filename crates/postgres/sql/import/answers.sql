-- Takes over what was answered to jobs that were not made. Those that are here already stay.
--
--   $1  ids       uuid[]
--   $2  jobs      uuid[]
--   $3  outcomes  smallint[]
--   $4  at        timestamptz[]
INSERT INTO windlass.answer (id, job, outcome, at)
SELECT given.id, given.job, given.outcome, given.at
FROM unnest($1, $2, $3, $4) AS given (id, job, outcome, at)
ORDER BY given.id
ON CONFLICT (id) DO NOTHING
