-- Since when a job is in review. No row: it never was.
--
--   ?1  job  blob
SELECT asked_at
FROM review
WHERE job = ?1
