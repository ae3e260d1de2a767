-- Writes down a piece of the jobs that are meant.
--
--   ?1  operation  integer, a number
--   ?2  piece      integer
--   ?3  ids        blob
INSERT INTO operation_jobs (operation, piece, ids)
VALUES (?1, ?2, ?3)
