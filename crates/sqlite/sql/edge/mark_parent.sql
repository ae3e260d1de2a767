-- Marks a job as one that others wait for. No row changed: it is marked already.
--
--   ?1  seq  integer
UPDATE job
SET traits = traits | 2
WHERE seq = ?1 AND traits & 2 = 0
