-- Jobs of which a worker holds an attempt.
--
--   $1  number   integer
--   $2  process  bool, whether only those that are held as long as the worker
--   $3  limit    bigint
--
-- Index: claim_worker, the primary key of job.
SELECT job.id
FROM windlass.claim
CROSS JOIN unnest(claim.jobs) AS given (id)
CROSS JOIN LATERAL (
    SELECT job.id, job.lease_until, job.seq
    FROM windlass.job
    WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder = claim.worker
    OFFSET 0
) AS job
WHERE claim.worker = $1 AND (NOT $2 OR job.lease_until IS NULL)
ORDER BY job.seq
LIMIT $3
