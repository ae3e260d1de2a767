-- Days whose completed jobs have all been over for so long, the first one first.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
--   $3  keep    bigint, microseconds
--   $4  limit   bigint
--
-- Answers when each begins, and how many pages it has. Index: those of the catalog. No row: there is none, or the tables
-- are somebody else's.
SELECT day.starts, day.pages
FROM (
    SELECT to_timestamp(substr(class.relname, 11) || ' +00', 'YYYYMMDD TZH') AS starts,
        coalesce(pg_relation_size(class.oid), 0) / current_setting('block_size')::bigint AS pages
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = $2 AND class.relkind = 'r' AND class.relname ~ '^completed_[0-9]{8}$'
        AND pg_has_role(class.relowner, 'USAGE')
) AS day
WHERE day.starts + interval '24 hours' <= coalesce($1, statement_timestamp()) - $3 * interval '1 microsecond'
ORDER BY day.starts
LIMIT $4
