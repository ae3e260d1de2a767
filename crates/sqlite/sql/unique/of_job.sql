-- The keys that a job has or waits for.
--
--   ?1  job  blob
--
-- Index: unique_key_job, unique_key_next. No row: none.
SELECT job, hold, until, next, free_at, key
FROM unique_key
WHERE job = ?1
UNION ALL
SELECT job, hold, until, next, free_at, key
FROM unique_key
WHERE next = ?1
