-- Counts reminders.
--
--   $1  jobs       uuid[]
--   $2  reminders  bigint[]
--   $3  remind_at  timestamptz[]; NULL for never again
--   $4  look_at    timestamptz[]; NULL for never
--
-- Index: the primary key of review. No row changed: there was none of them.
UPDATE windlass.review
SET reminders = given.reminders, remind_at = given.remind_at, look_at = given.look_at
FROM unnest($1, $2, $3, $4) AS given (job, reminders, remind_at, look_at)
WHERE review.job = given.job
