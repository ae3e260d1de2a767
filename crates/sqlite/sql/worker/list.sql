-- Workers that are here and were last seen at or before an instant, the longest-silent first.
--
--   ?1  seen_until  integer, microseconds
--
-- Reads every worker; counts through job_held. No row: there is none.
SELECT id, name, host, version, queues, kinds, slots, lease, registered_at, seen_at,
    (SELECT count(*) FROM job INDEXED BY job_held WHERE job.holder = worker.number AND job.holder IS NOT NULL),
    owner
FROM worker
WHERE gone_at IS NULL AND seen_at <= ?1
ORDER BY seen_at, id
