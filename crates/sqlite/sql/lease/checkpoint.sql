-- Keeps where a later attempt should go on.
--
--   ?1  seq         integer
--   ?2  checkpoint  text, JSON
UPDATE job
SET checkpoint = ?2, revision = revision + 1
WHERE seq = ?1
