-- Counts a reminder.
--
--   ?1  job        blob
--   ?2  reminders  integer
--   ?3  remind_at  integer, microseconds; NULL for never again
--   ?4  look_at    integer, microseconds; NULL for never
--
-- Index: the unique one of review.job.
UPDATE review
SET reminders = ?2, remind_at = ?3, look_at = ?4
WHERE job = ?1
