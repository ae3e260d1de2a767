-- Marks a worker as gone, and forgets the claims of which it holds nothing any more.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  number  integer
--
-- Index: the primary keys of worker and job, claim_worker. No row changed: it is not there.
WITH forgotten AS (
    DELETE FROM windlass.claim
    WHERE claim.worker = $2 AND NOT EXISTS (
        SELECT
        FROM unnest(claim.jobs) AS given (id)
        CROSS JOIN LATERAL (
            SELECT
            FROM windlass.job
            WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder = claim.worker
            OFFSET 0
        ) AS job
    )
)
UPDATE windlass.worker
SET gone_at = coalesce($1, statement_timestamp())
WHERE number = $2 AND gone_at IS NULL
