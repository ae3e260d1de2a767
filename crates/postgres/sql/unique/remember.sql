-- Keeps what was answered to jobs that were not made.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  ids       uuid[]
--   $3  jobs      uuid[], those that stand for them
--   $4  outcomes  smallint[]
--
-- Index: the primary key of answer.
INSERT INTO windlass.answer (id, job, outcome, at)
SELECT given.id, given.job, given.outcome, coalesce($1, statement_timestamp())
FROM unnest($2, $3, $4) AS given (id, job, outcome)
ORDER BY given.id
ON CONFLICT (id) DO UPDATE
SET job = excluded.job, outcome = excluded.outcome, at = excluded.at
RETURNING id
