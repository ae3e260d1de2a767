-- Makes the partitions of today and the next days, where one is missing.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
--
-- Index: those of the catalog. No row: all are there, or the tables are somebody else's.
SELECT windlass.make_days($2, coalesce($1, statement_timestamp()))::text
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $2 AND class.relname = 'completed' AND pg_has_role(class.relowner, 'USAGE')
    AND EXISTS (
        SELECT
        FROM generate_series(0, 3) AS day (ahead)
        WHERE to_regclass(format('%I.%I', $2, 'completed_' || to_char(
            coalesce($1, statement_timestamp()) AT TIME ZONE 'UTC' + day.ahead * interval '1 day', 'YYYYMMDD'
        ))) IS NULL
    )
