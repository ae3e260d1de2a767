-- Keeps how far an attempt has come.
--
--   ?1  seq      integer
--   ?2  percent  integer
--   ?3  message  text; NULL for none
UPDATE job
SET progress = ?2, progress_message = ?3, revision = revision + 1
WHERE seq = ?1
