-- Locks the jobs that wait for the end of these, in the order of their ids: jobs are locked before keys, whoever does it.
--
--   $1  jobs  uuid[]
--
-- `ARRAY` keeps the planner from walking through job where it takes it for empty.
-- Index: unique_key_job, the primary key of job. No row: none waits.
SELECT follower.id, follower.created_at, follower.run_at, follower.options
FROM windlass.job AS follower
WHERE follower.id = ANY (ARRAY(SELECT taken.next FROM windlass.unique_key AS taken WHERE taken.job = ANY ($1)))
    AND follower.stage = 2
ORDER BY follower.id
FOR NO KEY UPDATE
