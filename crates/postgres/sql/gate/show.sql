-- Puts a waiting job back into the sight of claims that was locked in the same transaction.
--
--   $1  job  uuid
--
-- Index: the primary key of job. No row changed: it was not there.
UPDATE windlass.job
SET lane = abs(lane)
WHERE id = $1
