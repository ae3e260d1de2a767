-- Keeps attempts of jobs that were made known in the same transaction.
--
--   $1  jobs      uuid[]
--   $2  numbers   bigint[]
--   $3  workers   integer[]; NULL for none
--   $4  started   timestamptz[]
--   $5  ended     timestamptz[]
--   $6  outcomes  smallint[]
--   $7  errors    text[], JSON; NULL for none
--   $8  fingerprints  bigint[], of the groups that their errors are in; NULL for none
INSERT INTO windlass.attempt (job, number, worker, started_at, ended_at, outcome, error, fingerprint)
SELECT *
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
