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
SET reason = given.reason, run_at = given.run_at, attempt = given.attempt, losses = given.losses, nonce = given.nonce,
    revision = given.revision, error = given.error, holder = 0, lease = NULL, lease_until = NULL
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
    AS given (id, reason, run_at, attempt, losses, nonce, revision, error)
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place
    FROM windlass.job AS seen
    WHERE seen.id = given.id
    OFFSET 0
) AS found
WHERE job.ctid = found.place
