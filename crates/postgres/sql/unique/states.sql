-- Who has each of these keys, and what is known of that job and of the one that waits for it, as JSON; the time is in microseconds.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  keys  bytea[]
--
-- `OFFSET 0` keeps the planner from walking through tables where it takes them for empty.
-- Index: the primary keys of unique_key and job. No row: never, there is one for each key, be it taken or not.
SELECT json_build_object(
    'key', encode(given.key, 'hex'),
    'now', (extract(epoch FROM coalesce($1, statement_timestamp())) * 1000000)::bigint,
    'job', taken.job,
    'hold', taken.hold,
    'until', (extract(epoch FROM taken.until) * 1000000)::bigint,
    'next', taken.next,
    'free_at', (extract(epoch FROM taken.free_at) * 1000000)::bigint,
    'holder', CASE WHEN holder.id IS NOT NULL THEN json_build_object(
        'stage', holder.stage, 'holder', holder.holder, 'number', holder.number, 'traits', holder.traits,
        'created_at', (extract(epoch FROM holder.created_at) * 1000000)::bigint
    ) END,
    'follower', CASE WHEN follower.id IS NOT NULL THEN json_build_object(
        'stage', follower.stage, 'holder', follower.holder, 'number', follower.number, 'traits', follower.traits,
        'created_at', (extract(epoch FROM follower.created_at) * 1000000)::bigint
    ) END
)::text AS said
FROM unnest($2) AS given (key)
LEFT JOIN LATERAL (
    SELECT known.job, known.hold, known.until, known.next, known.free_at
    FROM windlass.unique_key AS known
    WHERE known.key = given.key
    OFFSET 0
) AS taken ON true
LEFT JOIN LATERAL (
    SELECT job.id, job.stage, job.holder, job.number, job.traits, job.created_at
    FROM windlass.job
    WHERE job.id = taken.job
    OFFSET 0
) AS holder ON true
LEFT JOIN LATERAL (
    SELECT job.id, job.stage, job.holder, job.number, job.traits, job.created_at
    FROM windlass.job
    WHERE job.id = taken.next
    OFFSET 0
) AS follower ON true
