-- How many tables and indexes there are, whoever made them.
--
-- Reads every row of the schema.
SELECT count(*)
FROM sqlite_schema
