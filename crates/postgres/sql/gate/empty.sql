-- Forgets what open attempts have of gates that were locked in the same transaction.
--
--   $1  gates  bigint[]
--
-- Index: the primary key of held.
DELETE FROM windlass.held
WHERE gate = ANY ($1)
