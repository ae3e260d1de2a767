-- Schedules that it is time to look at, the longest due first, in the columns of read.sql; then how the job of the last tick
-- stands: its stage and how often it was claimed, NULL where it is gone.
--
--   ?1  now    integer, microseconds
--   ?2  limit  integer
--
-- Index: schedule_look, job_id.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id, job.stage, job.number
FROM schedule
LEFT JOIN job ON job.id = schedule.last_job
WHERE schedule.look_at <= ?1
ORDER BY schedule.look_at, schedule.id
LIMIT ?2
