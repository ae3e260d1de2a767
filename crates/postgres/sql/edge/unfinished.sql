-- Which of these jobs are unfinished, be they locked or not.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job. No row: none is.
SELECT id
FROM windlass.job
WHERE id = ANY ($1)
