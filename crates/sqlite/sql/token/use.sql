-- Notes that a token was used.
--
--   ?1  id      text
--   ?2  now     integer, microseconds
--   ?3  before  integer, microseconds
--
-- Index: that of the unique ids of token. No row changed: it was noted after `before`.
UPDATE token
SET used_at = ?2
WHERE id = ?1 AND (used_at IS NULL OR used_at <= ?3)
