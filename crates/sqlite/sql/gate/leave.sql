-- Takes a job from the lists of all gates. No row changed: it is in none.
--
--   ?1  seq  integer
--
-- Index: stand_seq.
DELETE FROM stand
WHERE seq = ?1
