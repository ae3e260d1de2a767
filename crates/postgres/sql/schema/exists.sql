-- Whether there is a schema of ours, be it only begun.
--
--   $1  schema  text
--
-- Index: those of the catalog.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = $1 AND class.relname = 'migration'
)
