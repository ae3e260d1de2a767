-- Our tables that hold many dead rows and were not looked after lately, the fullest first.
--
--   $1  schema  text
--
-- By the server's clock, which is also that of its statistics. Index: those of the catalog. No row: all is well, or the
-- tables are somebody else's.
SELECT stat.relname::text
FROM pg_stat_user_tables AS stat
JOIN pg_class AS class ON class.oid = stat.relid
WHERE stat.schemaname = $1 AND stat.relname IN ('job', 'claim', 'attempt', 'log', 'worker') AND stat.n_dead_tup > 50000
    AND greatest(stat.last_vacuum, stat.last_autovacuum, '-infinity') < statement_timestamp() - interval '10 seconds'
    AND pg_has_role(class.relowner, 'USAGE')
ORDER BY stat.n_dead_tup DESC
