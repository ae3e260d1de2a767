-- Leases jobs that were found waiting in the same transaction.
--
--   ?1  seqs    array of integers
--   ?2  worker  integer
--   ?3  nonce   integer
--   ?4  now     integer, microseconds
--   ?5  lease   integer, microseconds; NULL when they are held as long as the worker is there
--
-- One statement for all: opening the indexes costs more than changing a row.
UPDATE job
SET stage = 4, reason = NULL, attempt = attempt + 1, number = number + 1, nonce = ?3, holder = ?2, worker = ?2,
    lease = ?5, started_at = ?4, revision = revision + 1
WHERE seq IN rarray(?1)
