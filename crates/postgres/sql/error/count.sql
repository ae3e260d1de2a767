-- Counts errors of attempts that have just ended, a row for each group. The groups stay locked until the transaction ends: to be
-- the last thing that it writes.
--
--   $1  fingerprints  bigint[]
--   $2  kinds         text[]
--   $3  classes       text[]; NULL for none
--   $4  messages      text[], what the messages of a group have in common
--   $5  counts        bigint[]
--   $6  at            timestamptz[]
--   $7  jobs          uuid[]
--
-- Index: the primary key of error_group.
INSERT INTO windlass.error_group (fingerprint, kind, class, message, count, first_at, last_at, example)
SELECT given.fingerprint, given.kind, given.class, given.message, given.count, given.at, given.at, given.job
FROM unnest($1, $2, $3, $4, $5, $6, $7) AS given (fingerprint, kind, class, message, count, at, job)
ORDER BY given.fingerprint
ON CONFLICT (fingerprint) DO UPDATE
SET count = error_group.count + excluded.count, last_at = greatest(error_group.last_at, excluded.last_at),
    example = excluded.example
