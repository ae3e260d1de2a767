-- Whether a worker holds an attempt of a job that is running. No row: it does not.
--
--   ?1  worker  integer
--
-- Index: job_held.
SELECT 1
FROM job INDEXED BY job_held
WHERE holder = ?1 AND holder IS NOT NULL AND stage = 4
LIMIT 1
