-- What a job says went wrong last. No row: there is no such job.
--
--   ?1  seq  integer
SELECT error
FROM job
WHERE seq = ?1
