-- Lets a key be taken by anyone.
--
--   ?1  key  blob
--
-- Index: the primary key of unique_key.
DELETE FROM unique_key
WHERE key = ?1
