-- One schedule. No row: there is none of this name.
--
--   $1  name  text
--
-- Index: schedule_name_key.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id
FROM windlass.schedule
WHERE schedule.name = $1
