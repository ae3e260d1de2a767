-- Who has keys, and what is known of those jobs and of the ones that wait for them. No row: nobody has any of them.
--
--   ?1  keys  array of blobs
--
-- Index: the primary key of unique_key, job_id.
SELECT taken.job, taken.hold, taken.until, taken.next, taken.free_at,
    holder.stage, holder.number, holder.traits, holder.created_at,
    follower.stage, follower.number, follower.traits, follower.created_at, taken.key
FROM rarray(?1) AS wanted
CROSS JOIN unique_key AS taken ON taken.key = wanted.value
LEFT JOIN job AS holder ON holder.id = taken.job
LEFT JOIN job AS follower ON follower.id = taken.next
