-- Forgets operations that ended long ago.
--
--   ?1  before  integer, microseconds
--
-- Index: operation_ended.
DELETE FROM operation
WHERE ended_at <= ?1
