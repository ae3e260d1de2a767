-- How many of these jobs are there already. No row: never, it counts.
--
--   ?1  ids  array of blobs
--
-- Index: job_id.
SELECT count(*)
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.id = wanted.value
