-- Locks the gates that time has opened. Who is at one of them already will call there.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Index: gate_opens. No row: there are none.
SELECT id
FROM windlass.gate
WHERE opens_at <= coalesce($1, statement_timestamp())
ORDER BY id
FOR UPDATE SKIP LOCKED
