-- Puts those of these jobs into review that wait, need an approval before they start, and have none.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  ids  uuid[]
--
-- Index: the primary keys of job and review. No row: never, it answers nothing in one.
SELECT windlass.ask_about_start($2, coalesce($1, statement_timestamp()))
