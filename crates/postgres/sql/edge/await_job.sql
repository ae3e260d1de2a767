-- Waits until nobody has locked a job.
--
--   $1  id  uuid
--
-- Index: the primary key of job. No row: it is not there, or not any more.
SELECT id
FROM windlass.job
WHERE id = $1
FOR KEY SHARE
