-- Removes the history of a schedule.
--
--   ?1  id  integer
--
-- Index: the primary key.
DELETE FROM firing
WHERE schedule = ?1
