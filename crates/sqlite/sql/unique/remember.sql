-- Keeps what was answered to a job that was not made.
--
--   ?1  id       blob
--   ?2  job      blob, the one that stands for it
--   ?3  outcome  integer
--   ?4  at       integer, microseconds
INSERT OR REPLACE INTO answer (id, job, outcome, at)
VALUES (?1, ?2, ?3, ?4)
