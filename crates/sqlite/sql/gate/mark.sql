-- Marks jobs that have gates, be it for what their queue or their kind asks.
--
--   ?1  seqs   array of integers
--   ?2  trait  integer
UPDATE job
SET traits = traits | ?2
WHERE seq IN rarray(?1)
