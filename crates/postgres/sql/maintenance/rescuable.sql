-- Whether there is anything for a rescue to do: what one who finds nothing asks, in one go and without a lock.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Index: job_lease, job_deadline, review_look. Reads every worker and claim. The conditions are those of the statements that lock.
SELECT EXISTS (
        SELECT
        FROM windlass.job
        WHERE lease_until <= coalesce($1, statement_timestamp()) AND holder <> 0
    )
    OR EXISTS (
        SELECT
        FROM windlass.worker
        WHERE CASE
            WHEN gone_at IS NULL THEN lease_until <= coalesce($1, statement_timestamp())
            ELSE number IN (SELECT claim.worker FROM windlass.claim)
        END
    )
    OR EXISTS (
        SELECT
        FROM windlass.job
        WHERE deadline <= coalesce($1, statement_timestamp()) AND holder = 0 AND stage < 4
    )
    OR EXISTS (
        SELECT
        FROM windlass.review
        WHERE look_at <= coalesce($1, statement_timestamp())
    )
