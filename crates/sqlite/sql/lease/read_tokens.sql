-- What tokens are held against, in the order in which their jobs are asked for. No row: there is no such job.
--
--   ?1  ids  array of blobs
--
-- Index: job_id.
SELECT job.id, job.seq, job.stage, job.number, job.nonce, job.holder, job.lease, job.traits
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.id = wanted.value
