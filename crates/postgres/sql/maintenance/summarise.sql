-- Summarises the orders of jobs where some were added, so that lists and retention need not read all that is new.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
--
-- Index: those of the catalog. No row: the tables are somebody else's.
SELECT windlass.summarise($2, coalesce($1, statement_timestamp()))::text
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $2 AND class.relname = 'job' AND pg_has_role(class.relowner, 'USAGE')
