-- Puts off a schedule that cannot be read, and says why.
--
--   ?1  id       integer
--   ?2  error    text
--   ?3  look_at  integer, microseconds
--
-- Index: the primary key.
UPDATE schedule
SET error = ?2, look_at = ?3, revision = revision + 1
WHERE id = ?1
