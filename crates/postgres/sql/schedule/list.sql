-- Schedules in the order in which they were made, in the columns of read.sql.
--
--   $1  after  bigint, the id the page goes on from; 0 for the first
--   $2  limit  bigint
--
-- Index: the primary key of schedule.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id
FROM windlass.schedule
WHERE schedule.id > $1
ORDER BY schedule.id
LIMIT $2
