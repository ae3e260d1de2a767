-- The tables and views of the schema that we may not read or, if it is a table, not change.
--
--   $1  schema  text
--
-- Index: those of the catalog.
SELECT class.relname::text
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $1 AND NOT class.relispartition
    AND (
        class.relkind IN ('r', 'p', 'v') AND NOT pg_catalog.has_table_privilege(class.oid, 'SELECT')
        OR class.relkind IN ('r', 'p') AND class.relname <> 'migration'
        AND NOT (
            pg_catalog.has_table_privilege(class.oid, 'INSERT')
            AND pg_catalog.has_table_privilege(class.oid, 'UPDATE')
            AND pg_catalog.has_table_privilege(class.oid, 'DELETE')
        )
    )
ORDER BY class.relname
