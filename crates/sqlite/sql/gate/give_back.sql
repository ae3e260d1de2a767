-- Gives back all that a job's attempt has, and says of which gates that was. No row: it has nothing.
--
--   ?1  seq  integer
--
-- Index: held_seq.
DELETE FROM held
WHERE seq = ?1
RETURNING gate
