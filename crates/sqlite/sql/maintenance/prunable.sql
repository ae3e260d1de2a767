-- Jobs of one final stage that ended at or before an instant, oldest first. Those with an open attempt stay.
--
--   ?1  stage           integer
--   ?2  finished_until  integer, microseconds
--   ?3  limit           integer
--
-- Index: job_finished.
SELECT id
FROM job INDEXED BY job_finished
WHERE finished_at IS NOT NULL AND stage = ?1 AND finished_at <= ?2 AND holder IS NULL
ORDER BY finished_at
LIMIT ?3
