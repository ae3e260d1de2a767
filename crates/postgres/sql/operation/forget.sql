-- Forgets operations that ended long ago.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  kept  bigint, microseconds
--
-- Index: operation_ended.
DELETE FROM windlass.operation
WHERE ended_at <= coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'
