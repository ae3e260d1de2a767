-- Locks unfinished jobs in the order of their ids.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job. No row: they have ended.
SELECT id
FROM windlass.job
WHERE id = ANY ($1)
ORDER BY id
FOR NO KEY UPDATE
