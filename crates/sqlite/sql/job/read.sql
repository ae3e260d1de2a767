-- One job with all that is told of it. No row: there is no such job.
--
--   ?1  id  blob
--
-- Index: job_id.
SELECT job.id, lane.kind, lane.version, lane.queue, job.stage, job.reason, job.priority, job.run_at, job.args,
    job.attempt, job.attempts_max, job.losses, job.losses_max, job.deadline, job.options, job.progress,
    job.progress_message, job.checkpoint, job.result, job.error, worker.name, job.created_at, job.started_at,
    job.finished_at, job.revision, job.seq, job.traits
FROM job
JOIN lane ON lane.id = abs(job.lane)
LEFT JOIN worker ON worker.number = job.worker
WHERE job.id = ?1
