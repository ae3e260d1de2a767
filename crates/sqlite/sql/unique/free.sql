-- Lets keys be taken by anyone.
--
--   ?1  keys  array of blobs
--
-- Index: the primary key of unique_key.
DELETE FROM unique_key
WHERE key IN rarray(?1)
