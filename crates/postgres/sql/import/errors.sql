-- Takes over groups of errors. Those that are here already stay.
--
--   $1  fingerprints  bigint[]
--   $2  kinds         text[]
--   $3  classes       text[]; NULL for none
--   $4  messages      text[]
--   $5  counts        bigint[]
--   $6  first_at      timestamptz[]
--   $7  last_at       timestamptz[]
--   $8  jobs          uuid[]
INSERT INTO windlass.error_group (fingerprint, kind, class, message, count, first_at, last_at, example)
SELECT given.fingerprint, given.kind, given.class, given.message, given.count, given.first_at, given.last_at, given.job
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS given (fingerprint, kind, class, message, count, first_at, last_at, job)
ORDER BY given.fingerprint
ON CONFLICT (fingerprint) DO NOTHING
