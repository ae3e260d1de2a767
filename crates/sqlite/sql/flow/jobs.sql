-- Jobs of a flow, in the order in which they were enqueued.
--
--   ?1  seqs  array of integers
SELECT job.id, lane.kind, lane.queue, job.stage, job.reason, job.run_at, job.holder, job.options
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.seq = wanted.value
CROSS JOIN lane ON lane.id = abs(job.lane)
ORDER BY job.seq
