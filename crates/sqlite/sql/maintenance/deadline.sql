-- A job that has a deadline, and its deadline. No row: there is no such job.
--
--   ?1  seq  integer
SELECT id, deadline
FROM job
WHERE seq = ?1
