-- Which of these ids were enqueued before, as JSON: the id, the job that stands for it, and the outcome.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  ids   uuid[]
--   $3  kept  bigint, microseconds that an answer is remembered for
--
-- Index: the primary keys of job and answer, history_id. No row: none was.
SELECT json_build_array(id, id, 0)::text AS said
FROM windlass.every_job
WHERE id = ANY ($2)
UNION ALL
SELECT json_build_array(id, job, outcome)::text
FROM windlass.answer
WHERE id = ANY ($2) AND at > coalesce($1, statement_timestamp()) - $3 * interval '1 microsecond'
