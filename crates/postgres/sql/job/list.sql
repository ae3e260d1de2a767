-- Jobs of a window of the enqueue order that match, newest first, in the columns of read.sql.
--
--   $1  now            timestamptz; NULL for the server's
--   $2  before         bigint, the seq that the window ends before
--   $3  since          bigint, the seq that it begins with
--   $4  limit          bigint
--   $5  states         smallint[], numbers of states; NULL for all
--   $6  queues         text[]; NULL for all
--   $7  kinds          text[]; NULL for all
--   $8  tag            text; NULL for any
--   $9  created_since  timestamptz; NULL for any
--   $10 roots          bool, whether only those that no other job waits for
--   $11 finished_since  timestamptz; NULL for any
--   $12 fingerprint    bigint, of a group of errors that an attempt ended with; NULL for any
--
-- Index: job_order, completed_order, failed_order. The CASE is the twin of `windlass_core::state::seen`.
SELECT job.id, lane.kind, lane.version, lane.queue, job.stage, job.reason, job.priority, job.run_at, job.traits, job.args,
    job.attempt, job.attempts_max, job.losses, job.losses_max, job.deadline, job.options, job.progress,
    job.progress_message, job.checkpoint, job.result, job.error, worker.name, job.created_at, job.started_at,
    job.finished_at, job.revision, job.seq, job.holder, coalesce($1, statement_timestamp())
FROM windlass.every_job AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
LEFT JOIN windlass.worker ON worker.number = job.worker
WHERE job.seq < $2 AND job.seq >= $3
    AND ($5 IS NULL OR CASE
        WHEN job.stage = 1 AND job.holder <> 0 THEN 6
        WHEN job.stage = 1 AND job.run_at <= coalesce($1, statement_timestamp()) THEN 2
        WHEN job.stage = 1 AND job.reason IN (4, 5, 6) THEN 3
        WHEN job.stage = 1 THEN 1
        ELSE job.stage + 2
    END = ANY ($5))
    AND ($6 IS NULL OR lane.queue = ANY ($6))
    AND ($7 IS NULL OR lane.kind = ANY ($7))
    -- A jsonb cannot hold the escape of NUL that may stand elsewhere in the options; no tag has it.
    AND ($8 IS NULL OR replace(job.options, '\u0000', '\u0020')::jsonb -> 'tags' @> to_jsonb($8))
    AND ($9 IS NULL OR job.created_at >= $9)
    AND ($11 IS NULL OR (job.stage > 4 AND job.finished_at >= $11))
    AND ($12 IS NULL OR EXISTS (
        -- `OFFSET 0` keeps the planner from reading all that have it, to look up each job among them.
        SELECT FROM windlass.attempt WHERE attempt.job = job.id AND attempt.fingerprint = $12 OFFSET 0
    ))
    AND NOT ($10 AND job.traits & 2 <> 0 AND EXISTS (SELECT FROM windlass.edge WHERE edge.parent = job.id))
ORDER BY job.seq DESC
LIMIT $4
