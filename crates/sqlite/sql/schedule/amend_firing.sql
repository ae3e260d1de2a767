-- Says that another job stands for that of a tick.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds
--   ?3  job       blob
--
-- Index: the primary key. No row: there is no such firing.
UPDATE firing
SET job = ?3
WHERE schedule = ?1 AND tick = ?2 AND form = 0
