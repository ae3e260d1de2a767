-- Which of these ids are there already.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job, history_id. No row: none is.
SELECT id
FROM windlass.every_job
WHERE id = ANY ($1)
