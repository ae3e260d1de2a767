-- Workers that are here and have been silent for so long, the longest-silent first.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  silent  bigint, microseconds
--
-- Reads every worker; counts through claim_worker. No row: there is none.
SELECT id, name, host, version, queues, kinds, slots, lease, registered_at, seen_at, (
        SELECT count(*)
        FROM windlass.claim
        CROSS JOIN unnest(claim.jobs) AS given (id)
        CROSS JOIN LATERAL (
            SELECT
            FROM windlass.job
            WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder = claim.worker
            OFFSET 0
        ) AS job
        WHERE claim.worker = worker.number
    ), owner
FROM windlass.worker
WHERE gone_at IS NULL AND seen_at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
ORDER BY seen_at, id
