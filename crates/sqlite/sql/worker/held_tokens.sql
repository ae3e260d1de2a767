-- Tokens of the open attempts that a worker holds, whatever lease they have. No row: it holds none, or is unknown.
--
--   ?1  id  blob
--
-- Index: that of the unique id, then job_held.
SELECT job.id, job.number, job.nonce
FROM worker
CROSS JOIN job INDEXED BY job_held ON job.holder = worker.number
WHERE worker.id = ?1 AND job.holder IS NOT NULL
ORDER BY job.id
