-- Tokens of the open attempts that a worker holds, whatever lease they have, by job.
--
--   $1  id  uuid
--
-- Index: worker_id_key, claim_worker, the primary key of job. No row: it holds none, or is unknown.
SELECT job.id, job.number, job.nonce
FROM windlass.worker
JOIN windlass.claim ON claim.worker = worker.number
CROSS JOIN unnest(claim.jobs) AS given (id)
CROSS JOIN LATERAL (
    SELECT job.id, job.number, job.nonce
    FROM windlass.job
    WHERE job.id = given.id AND job.nonce = claim.nonce AND job.holder = claim.worker
    OFFSET 0
) AS job
WHERE worker.id = $1
ORDER BY job.id
