-- Takes waiting jobs out of the sight of claims that were locked in the same transaction.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of job.
UPDATE windlass.job
SET lane = -abs(lane)
WHERE id = ANY ($1)
