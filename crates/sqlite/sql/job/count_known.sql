-- How many of these jobs are there already.
--
--   ?1  ids  array of blobs
--
-- Index: job_id.
SELECT count(*)
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.id = wanted.value
