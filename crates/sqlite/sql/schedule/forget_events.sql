-- Removes what was done by hand longest ago, where there is more of it than is kept.
--
--   ?1  schedule  text
--   ?2  kept      integer
--
-- Index: the primary key. No row: there is no more than is kept.
DELETE FROM schedule_event
WHERE schedule = ?1
    AND number <= (SELECT max(number) FROM schedule_event WHERE schedule = ?1) - ?2
