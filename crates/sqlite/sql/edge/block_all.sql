-- Holds jobs back until so many of their parents have let them go.
--
--   ?1  seqs    array of integers
--   ?2  waits   integer
--   ?3  reason  integer
UPDATE job
SET stage = 2, reason = ?3, waits = ?2
WHERE seq IN rarray(?1)
