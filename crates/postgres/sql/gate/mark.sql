-- Marks jobs that have something to give back when their attempts close, for what their queue or their kind asks.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of job. 16 is `Traits::GATED`.
UPDATE windlass.job
SET traits = traits | 16
WHERE id = ANY ($1)
