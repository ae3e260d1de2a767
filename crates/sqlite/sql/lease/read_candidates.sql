-- What a worker is told of the jobs it is about to be given, in the order of their places. No row: there is no
-- job at that place.
--
--   ?1  seqs  array of integers
SELECT job.seq, job.id, job.number, abs(job.lane), job.priority, job.attempt, job.attempts_max, job.losses, job.run_at,
    job.created_at, job.deadline, job.checkpoint, job.args, job.options, job.traits
FROM rarray(?1) AS wanted
CROSS JOIN job ON job.seq = wanted.value
