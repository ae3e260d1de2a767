-- Locks workers whose lease has run out, and those that are gone but were given jobs in the moment they left.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Reads every worker and claim. No row: there are none.
SELECT number, gone_at IS NULL
FROM windlass.worker
WHERE CASE
    WHEN gone_at IS NULL THEN lease_until <= coalesce($1, statement_timestamp())
    ELSE number IN (SELECT claim.worker FROM windlass.claim)
END
ORDER BY number
FOR UPDATE SKIP LOCKED
