-- Ends running attempts in success, whose tokens were found good in the same transaction.
--
--   ?1  seqs    array of integers
--   ?2  reason  integer
--   ?3  now     integer, microseconds
UPDATE job
SET stage = 5, reason = ?2, finished_at = ?3, error = NULL, holder = NULL, revision = revision + 1
WHERE seq IN rarray(?1)
