-- The keys that jobs have or wait for, each with the job that does.
--
--   ?1  jobs  array of blobs
--
-- Index: unique_key_job, unique_key_next. No row: none.
SELECT taken.job, taken.hold, taken.until, taken.next, taken.free_at, taken.key, wanted.value
FROM rarray(?1) AS wanted
CROSS JOIN unique_key AS taken ON taken.job = wanted.value
UNION ALL
SELECT taken.job, taken.hold, taken.until, taken.next, taken.free_at, taken.key, wanted.value
FROM rarray(?1) AS wanted
CROSS JOIN unique_key AS taken ON taken.next = wanted.value
