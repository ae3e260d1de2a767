-- What gates ask of a job. No row: there is no such job.
--
--   ?1  seq  integer
SELECT priority, run_at, abs(lane), options, deadline, order_key, traits
FROM job
WHERE seq = ?1
