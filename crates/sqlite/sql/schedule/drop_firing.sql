-- Takes back that a tick has made a job, which could not be enqueued after all.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds
--
-- Index: the primary key. No row: there is no such firing.
DELETE FROM firing
WHERE schedule = ?1 AND tick = ?2 AND form = 0
