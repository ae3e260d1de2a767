-- Takes waiting jobs out of the sight of claims.
--
--   ?1  seqs  array of integers
UPDATE job
SET lane = -abs(lane)
WHERE seq IN rarray(?1)
