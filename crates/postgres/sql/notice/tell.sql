-- Jobs that have just ended, in the columns of job/read.sql, each with the lane that its notices go to, and the one of what
-- cleans up behind it, which has no gates; NULL if that is not there yet.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  ids    uuid[]
--   $3  queue  text, of notices
--   $4  kind   text, of notices
--
-- Index: the primary key of job, history_id.
SELECT job.id, lane.kind, lane.version, lane.queue, job.stage, job.reason, job.priority, job.run_at, job.traits, job.args,
    job.attempt, job.attempts_max, job.losses, job.losses_max, job.deadline, job.options, job.progress,
    job.progress_message, job.checkpoint, job.result, job.error, worker.name, job.created_at, job.started_at,
    job.finished_at, job.revision, job.seq, job.holder, coalesce($1, statement_timestamp()),
    (SELECT told.id FROM windlass.lane AS told WHERE told.queue = $3 AND told.kind = $4 AND told.version = 1),
    (
        SELECT plain.id
        FROM windlass.lane AS plain
        WHERE plain.queue = lane.queue AND plain.kind = lane.kind AND plain.version = lane.version AND NOT plain.gated
    )
FROM windlass.every_job AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
LEFT JOIN windlass.worker ON worker.number = job.worker
WHERE job.id = ANY ($2)
ORDER BY job.id
