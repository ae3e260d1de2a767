-- Removes what is kept of a job's attempts.
--
--   ?1  id  blob
DELETE FROM attempt
WHERE job = ?1
