-- Marks jobs as ones that others wait for. No row changed: all of them are marked already.
--
--   ?1  seqs  array of integers
UPDATE job
SET traits = traits | 2
WHERE seq IN rarray(?1) AND traits & 2 = 0
