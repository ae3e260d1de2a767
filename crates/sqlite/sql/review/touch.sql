-- Raises the revision of a job of which something was told.
--
--   ?1  seq  integer
UPDATE job
SET revision = revision + 1
WHERE seq = ?1
