-- Open attempts of one worker whose jobs were cancelled.
--
--   ?1  worker  integer
--
-- Index: job_held. Only asked when one of its jobs was cancelled, for it looks at all the worker holds.
SELECT id, number, nonce
FROM job INDEXED BY job_held
WHERE holder = ?1 AND holder IS NOT NULL AND stage = 6
ORDER BY id
