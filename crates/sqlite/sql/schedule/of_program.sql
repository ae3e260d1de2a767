-- The schedules that a program declares, and those of the names that it says, in the columns of read.sql.
--
--   ?1  program  text
--   ?2  names    array of texts
--
-- Reads every schedule: a program that starts is worth it.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id
FROM schedule
WHERE schedule.program = ?1 OR schedule.name IN (SELECT value FROM rarray(?2))
