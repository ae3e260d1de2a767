-- Who has a key, and what is known of that job and of the one that waits for it. No row: nobody has it.
--
--   ?1  key  blob
--
-- Index: the primary key of unique_key.
SELECT taken.job, taken.hold, taken.until, taken.next, taken.free_at,
    holder.stage, holder.number, holder.traits, holder.created_at,
    follower.stage, follower.number, follower.traits, follower.created_at
FROM unique_key AS taken
LEFT JOIN job AS holder ON holder.id = taken.job
LEFT JOIN job AS follower ON follower.id = taken.next
WHERE taken.key = ?1
