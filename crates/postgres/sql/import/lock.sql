-- Makes other imports into the schema wait until this transaction ends: what is there already is looked up before it is
-- written.
--
--   $1  schema  text
SELECT pg_advisory_xact_lock(hashtextextended('windlass import ' || $1, 0))::text
