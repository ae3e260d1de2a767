-- Lets jobs wait again that were locked in the same transaction.
--
--   $1  ids        uuid[]
--   $2  reasons    smallint[]; NULL for none
--   $3  run_at     timestamptz[]
--   $4  attempts   bigint[]
--   $5  losses     bigint[]
--   $6  nonces     bigint[]; zero where the token must be forgotten
--   $7  revisions  bigint[]
--   $8  errors     text[], JSON; NULL for none
--
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty.
-- Index: the primary key of job. No row changed: there was none of them.
UPDATE windlass.job
SET reason = given.reason, run_at = given.run_at, attempt = given.attempt, nonce = given.nonce,
    revision = given.revision, worker = CASE WHEN job.holder <> 0 THEN job.holder ELSE job.worker END, holder = 0,
    lease_until = NULL, more = CASE
        WHEN job.more IS DISTINCT FROM NULL OR given.losses > 0 OR given.error IS NOT NULL THEN (
            (job.more).progress, (job.more).progress_message, (job.more).checkpoint, given.error, given.losses,
            (job.more).log_bytes, (job.more).stopped_at
        )::windlass.more
    END
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
    AS given (id, reason, run_at, attempt, losses, nonce, revision, error)
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place
    FROM windlass.job AS seen
    WHERE seen.id = given.id
    OFFSET 0
) AS found
WHERE job.ctid = found.place
