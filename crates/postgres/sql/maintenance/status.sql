-- What the server says of itself and of the store. Reads every table's size.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
SELECT current_setting('server_version'), coalesce($1, statement_timestamp()),
    current_setting('fsync')::boolean AND current_setting('synchronous_commit') <> 'off',
    (
        SELECT coalesce(sum(pg_total_relation_size(class.oid)), 0)::bigint
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = $2 AND class.relkind = 'r'
    )
