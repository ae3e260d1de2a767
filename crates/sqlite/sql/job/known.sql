-- Those of these jobs that are there already. No row: none is.
--
--   ?1  ids  array of blobs
--
-- Index: job_id.
SELECT wanted.value
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.id = wanted.value
