-- What was done to a job by hand, in order.
--
--   ?1  id  blob
SELECT at, verb, actor, why, revision
FROM event
WHERE job = ?1
ORDER BY revision
