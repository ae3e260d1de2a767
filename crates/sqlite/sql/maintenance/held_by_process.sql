-- Open attempts of one worker that hold as long as it does.
--
--   ?1  worker  integer
--   ?2  limit   integer
--
-- Index: job_held.
SELECT id
FROM job INDEXED BY job_held
WHERE holder = ?1 AND holder IS NOT NULL AND lease IS NULL
ORDER BY seq
LIMIT ?2
