-- Gives up the lead for whoever has it.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  leader  uuid
--
-- Reads every row: there is one. No row changed: somebody else leads, or nobody.
UPDATE windlass.leader
SET lease_until = coalesce($1, statement_timestamp())
WHERE holder = $2 AND lease_until > coalesce($1, statement_timestamp())
