-- Gives back all that a job's attempt has. No row changed: it has nothing.
--
--   ?1  seq  integer
--
-- Index: held_seq.
DELETE FROM held
WHERE seq = ?1
