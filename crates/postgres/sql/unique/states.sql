-- Who has each of these keys, and what is known of that job and of the one that waits for it, as JSON; the time is in microseconds.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  keys  bytea[]
--
-- Index: the primary keys of unique_key and job. One row for each key, be it taken or not.
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
LEFT JOIN windlass.unique_key AS taken ON taken.key = given.key
LEFT JOIN windlass.job AS holder ON holder.id = taken.job
LEFT JOIN windlass.job AS follower ON follower.id = taken.next
