-- Where jobs are listed.
--
--   $1  jobs  uuid[]
--
-- Index: stand_job. No row: nowhere.
SELECT job, gate
FROM windlass.stand
WHERE job = ANY ($1)
