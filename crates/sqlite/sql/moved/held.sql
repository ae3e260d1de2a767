-- How many attempts are open.
--
-- Index: job_held.
SELECT count(*)
FROM job
WHERE holder IS NOT NULL
