-- Remembers to look whether a job has been started by its deadline.
--
--   ?1  at   integer, microseconds
--   ?2  seq  integer
INSERT OR IGNORE INTO deadline (at, seq)
VALUES (?1, ?2)
