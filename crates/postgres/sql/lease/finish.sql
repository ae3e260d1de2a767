-- Moves jobs to the history that were locked in the same transaction, with what became of them.
--
--   $1  ids        uuid[]
--   $2  stages     smallint[]
--   $3  reasons    smallint[]; NULL for none
--   $4  finished   timestamptz[]
--   $5  attempts   bigint[]
--   $6  losses     bigint[]
--   $7  nonces     bigint[]; zero where the token must be forgotten
--   $8  revisions  bigint[]
--   $9  results    text[], JSON; NULL for none
--   $10 errors     text[], JSON; NULL for none
--
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty.
-- Index: the primary key of job. No row: there was none of them.
WITH gone AS (
    DELETE FROM windlass.job
    USING unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        AS given (id, stage, reason, finished_at, attempt, losses, nonce, revision, result, error)
    CROSS JOIN LATERAL (
        SELECT seen.ctid AS place
        FROM windlass.job AS seen
        WHERE seen.id = given.id
        OFFSET 0
    ) AS found
    WHERE job.ctid = found.place
    RETURNING job.id, job.seq, job.created_at, job.run_at, job.started_at, given.finished_at, job.lane, job.worker,
        job.attempts_max, job.losses_max, given.losses, job.number, given.nonce, given.attempt, given.revision, given.stage,
        given.reason, job.priority, job.traits, job.log_bytes, job.deadline, job.progress, job.args, job.options,
        job.progress_message, job.checkpoint, given.result, given.error
)
INSERT INTO windlass.history (id, seq, created_at, run_at, started_at, finished_at, lane, worker, attempts_max, losses_max,
    losses, number, nonce, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result, error)
SELECT id, seq, created_at, run_at, started_at, finished_at, abs(lane), worker, attempts_max, losses_max,
    losses, number, nonce, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result, error
FROM gone
RETURNING id
