-- What was done to a job by hand, in order.
--
--   $1  id  uuid
SELECT at, verb, actor, why, revision
FROM windlass.event
WHERE job = $1
ORDER BY revision
