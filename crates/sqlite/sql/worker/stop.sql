-- Notes whether an attempt that a worker holds may be of a job that was cancelled.
--
--   ?1  number    integer
--   ?2  stopping  integer, 0 or 1
UPDATE worker
SET stopping = ?2
WHERE number = ?1
