-- Leaves the places of the enqueue order up to here to jobs that are imported: the next that is enqueued comes after them.
--
--   $1  last  bigint
--
-- Reads every sequence by its name alone.
SELECT setval('windlass.job_seq_seq', greatest($1, CASE WHEN is_called THEN last_value ELSE 1 END))
FROM windlass.job_seq_seq
