-- Schedules that it is time to look at, the longest due first, in the columns of read.sql; then the time, when to look again
-- at those that are not due (NULL for never), and how the job of the last tick stands: NULL where it is final or gone, else
-- how often it was claimed. A single row without a schedule where none is due.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Index: schedule_look, the primary key of job.
SELECT schedule.name, schedule.asked, schedule.program, schedule.created_at, schedule.changed_at, schedule.anchor,
    schedule.next_tick, schedule.held, schedule.look_at, schedule.paused_at, schedule.paused_by, schedule.paused_why,
    schedule.removed_at, schedule.last_tick, schedule.last_job, schedule.fired, schedule.skipped, schedule.forgotten_until,
    schedule.error, schedule.revision, schedule.id,
    clock.now, clock.next_at, (SELECT job.number FROM windlass.job WHERE job.id = schedule.last_job AND job.stage < 5)
FROM (
    SELECT coalesce($1, statement_timestamp()) AS now, (
        SELECT min(look_at)
        FROM windlass.schedule
        WHERE look_at > coalesce($1, statement_timestamp())
    ) AS next_at
) AS clock
LEFT JOIN LATERAL (
    SELECT *
    FROM windlass.schedule AS known
    WHERE known.look_at <= clock.now
    ORDER BY known.look_at, known.id
    LIMIT $2
) AS schedule ON true
ORDER BY schedule.look_at, schedule.id
