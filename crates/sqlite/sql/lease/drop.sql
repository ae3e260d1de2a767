-- Forgets the lease of its own that a job's attempt had.
--
--   ?1  seq  integer
DELETE FROM lease
WHERE seq = ?1
