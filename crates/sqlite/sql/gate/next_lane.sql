-- The next lane of which jobs are parked at a gate. No row: there is none.
--
--   ?1  gate   integer
--   ?2  after  integer, the lane before
--
-- Index: stand_here, a seek for each lane.
SELECT lane
FROM stand INDEXED BY stand_here
WHERE gate = ?1 AND here = 1 AND called = 0 AND lane > ?2
ORDER BY lane
LIMIT 1
