-- Makes a job that carried a decision out one that does its work again.
--
--   ?1  seq       integer
--   ?2  traits    integer
--   ?3  priority  integer, the one it asked for
UPDATE job
SET traits = ?2, priority = ?3
WHERE seq = ?1
