-- Open attempts whose holder has been silent for so long, the longest-silent first.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  silent  bigint, microseconds
--   $3  limit   bigint
--
-- A lease of its own was last extended one term before its end. Reads every claim.
SELECT lease.*
FROM (
    SELECT job.id, job.number, job.nonce, worker.id AS worker,
        coalesce(job.lease_until - claim.lease * interval '1 microsecond', worker.seen_at) AS seen_at,
        coalesce(job.lease_until, worker.lease_until) AS lease_until
    FROM windlass.claim
    CROSS JOIN unnest(claim.jobs) AS given (id)
    CROSS JOIN LATERAL (
        SELECT job.id, job.number, job.nonce, job.lease_until
        FROM windlass.job
        WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder = claim.worker
        OFFSET 0
    ) AS job
    JOIN windlass.worker ON worker.number = claim.worker
) AS lease
WHERE lease.seen_at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
ORDER BY lease.seen_at, lease.id
LIMIT $3
