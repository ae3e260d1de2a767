-- Where jobs stand in the enqueue order, and at which stage. Those that are not there have no row.
--
--   ?1  ids  array of blobs
--
-- Index: job_id.
SELECT job.id, job.seq, job.stage
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.id = wanted.value
