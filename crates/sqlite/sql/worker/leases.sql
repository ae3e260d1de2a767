-- Open attempts whose holder was last heard of at or before an instant, the longest-silent first.
--
--   ?1  seen_until  integer, microseconds
--   ?2  limit       integer
--
-- A lease of its own was last extended one term before its end.
-- Index: job_held.
SELECT job.id, job.number, job.nonce, worker.id,
    coalesce(lease.until - job.lease, worker.seen_at) AS seen_at,
    coalesce(lease.until, worker.lease_until)
FROM job INDEXED BY job_held
JOIN worker ON worker.number = job.holder
LEFT JOIN lease ON lease.seq = job.seq AND job.lease IS NOT NULL
WHERE job.holder IS NOT NULL AND coalesce(lease.until - job.lease, worker.seen_at) <= ?1
ORDER BY 5, job.id
LIMIT ?2
