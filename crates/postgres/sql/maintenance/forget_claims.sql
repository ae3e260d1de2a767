-- Forgets claims of which nothing is open any more, where the process that was to do it did not.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Index: the primary key of job. Reads every claim. No row changed: there are none.
DELETE FROM windlass.claim
WHERE claimed_at < coalesce($1, statement_timestamp()) - interval '10 minutes' AND NOT EXISTS (
    SELECT
    FROM unnest(claim.jobs) AS given (id)
    CROSS JOIN LATERAL (
        SELECT
        FROM windlass.job
        WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder <> 0
        OFFSET 0
    ) AS job
)
