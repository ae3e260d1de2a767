-- Removes a schedule.
--
--   ?1  id  integer
--
-- Index: the primary key.
DELETE FROM schedule
WHERE id = ?1
