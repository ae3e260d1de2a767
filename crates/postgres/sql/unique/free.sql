-- Lets keys be taken by anyone, which the same transaction has locked.
--
--   $1  keys  bytea[]
--
-- Index: the primary key of unique_key.
DELETE FROM windlass.unique_key
WHERE key = ANY ($1)
