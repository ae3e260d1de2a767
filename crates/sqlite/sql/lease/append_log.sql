-- Adds one line to a job's log.
--
--   ?1  job      blob
--   ?2  attempt  integer
--   ?3  at       integer, microseconds
--   ?4  level    integer
--   ?5  message  text
INSERT INTO log (job, line, attempt, at, level, message)
VALUES (?1, (SELECT coalesce(max(line), 0) + 1 FROM log WHERE job = ?1), ?2, ?3, ?4, ?5)
