-- Removes a job's log.
--
--   ?1  id  blob
DELETE FROM log
WHERE job = ?1
