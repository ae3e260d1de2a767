-- Notes a change by hand.
--
--   ?1  schedule  text
--   ?2  at        integer, microseconds
--   ?3  verb      text
--   ?4  actor     text
--   ?5  why       text; NULL for no reason
--   ?6  job       blob; NULL for none
--
-- Index: the primary key.
INSERT INTO schedule_event (schedule, number, at, verb, actor, why, job)
SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6
FROM schedule_event
WHERE schedule = ?1
