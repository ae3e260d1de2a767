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
    RETURNING job.id, job.seq, job.run_at, job.created_at, given.finished_at, job.budget, given.nonce, job.number, given.attempt,
        given.revision, job.lane, job.traits, job.priority, given.stage, given.reason, job.holder, job.worker, job.started_at,
        job.deadline, job.args, job.options, given.result, job.more, given.losses, given.error
)
INSERT INTO windlass.history (id, seq, run_at, created_at, finished_at, budget, nonce, number, attempt, revision, lane, traits,
    priority, stage, reason, worker, started_at, deadline, args, options, result, more)
SELECT id, seq, run_at, created_at, finished_at, budget, nonce, number, attempt, revision, abs(lane), traits, priority, stage,
    reason, CASE WHEN holder <> 0 THEN holder ELSE worker END, started_at, deadline, args, options, result,
    CASE WHEN more IS DISTINCT FROM NULL OR losses > 0 OR error IS NOT NULL THEN (
        (more).progress, (more).progress_message, (more).checkpoint, error, losses, (more).log_bytes, NULL
    )::windlass.more END
FROM gone
RETURNING id
