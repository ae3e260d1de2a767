-- When it is time to look at a schedule again. One row; NULL where nothing is to come.
--
-- Index: schedule_look.
SELECT min(look_at)
FROM schedule
WHERE look_at IS NOT NULL
