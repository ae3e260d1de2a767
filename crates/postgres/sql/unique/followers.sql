-- Locks the jobs that wait for the end of these, in the order of their ids: jobs are locked before keys, whoever does it.
--
--   $1  jobs  uuid[]
--
-- Index: unique_key_job, the primary key of job. No row: none waits.
SELECT follower.id, follower.created_at, follower.run_at, follower.options
FROM windlass.unique_key AS taken
JOIN windlass.job AS follower ON follower.id = taken.next AND follower.stage = 2
WHERE taken.job = ANY ($1)
ORDER BY follower.id
FOR NO KEY UPDATE OF follower
