-- One schedule in the columns of read.sql, and then the time; locks it. No row: there is none of this name.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  name  text
--
-- Index: the unique one on the name.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id, coalesce($1, statement_timestamp())
FROM windlass.schedule
WHERE schedule.name = $2
FOR NO KEY UPDATE
