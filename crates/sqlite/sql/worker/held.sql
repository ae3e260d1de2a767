-- Open attempts that a worker holds, whatever lease they have.
--
--   ?1  worker  integer
--   ?2  limit   integer
--
-- Index: job_held.
SELECT id
FROM job INDEXED BY job_held
WHERE holder = ?1 AND holder IS NOT NULL
LIMIT ?2
