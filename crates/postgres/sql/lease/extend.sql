-- Keeps a lease of its own for another term; only looks at one that holds as long as its worker.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  id      uuid
--   $3  number  bigint
--   $4  nonce   bigint
--
-- The condition is the twin of `windlass_store::rules::fence`; a cancelled job's attempt is extended as ever.
-- Index: the primary key of job; written so that nobody can take `job_lease` for it, which is no use once it has grown.
-- No row: the token did not pass.
UPDATE windlass.job
SET lease_until = greatest(lease_until, coalesce($1, statement_timestamp()) + (
    SELECT claim.lease
    FROM windlass.claim
    WHERE claim.nonce = $4
    LIMIT 1
) * interval '1 microsecond')
WHERE id = $2 AND number = $3 AND nonce = $4 AND nonce <> 0 AND holder <> 0
    AND coalesce(lease_until, '-infinity') > coalesce($1, statement_timestamp())
RETURNING lease_until, stage
