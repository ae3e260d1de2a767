-- Calls jobs that are parked at a gate.
--
--   ?1  gate  integer
--   ?2  seqs  array of integers
--
-- No row: none of them stands there.
UPDATE stand
SET called = 1
WHERE gate = ?1 AND seq IN rarray(?2)
