-- Fires: takes schedules where their plans say, records what becomes of their ticks, and makes the jobs. A schedule that
-- somebody else has changed since it was looked at is left alone with all that is said of it, and so is one that somebody
-- else is changing. A tick that has made its job makes no other. Answers with the ids of the schedules and of the firings'
-- jobs that were written.
--
--   $1  now              timestamptz, when they were looked at
--   $2  schedules        bigint[], ids
--   $3  revisions        bigint[], from now on
--   $4  next_ticks       timestamptz[]; NULL for none
--   $5  held             timestamptz[]; NULL for none
--   $6  look_at          timestamptz[]; NULL for never
--   $7  last_ticks       timestamptz[]; NULL for none
--   $8  last_jobs        uuid[]; NULL for none
--   $9  fired            bigint[]
--   $10 skipped          bigint[]
--   $11 errors           text[]; NULL for none
--   $12 entries          bigint[], ids of schedules
--   $13 ticks            timestamptz[]
--   $14 forms            smallint[]
--   $15 jobs             uuid[]; NULL for none
--   $16 until            timestamptz[]; NULL for a job
--   $17 counts           integer[]; NULL for a job
--   $18 ids              uuid[], of the jobs to be made, as in insert.sql from here on
--   $19 lanes            integer[]
--   $20 priorities       smallint[]
--   $21 budgets          bigint[]
--   $22 args             bytea[]
--   $23 run_at           timestamptz[]; NULL for now
--   $24 delays           bigint[], microseconds after that; NULL for none
--   $25 deadlines        timestamptz[]; NULL for none
--   $26 deadline_delays  bigint[], microseconds after now; NULL for none
--   $27 traits           integer[]; NULL for none
--   $28 options          text[], JSON; NULL where all is default
--
-- An array that is shorter than the others counts as NULL beyond its end.
-- Index: the primary keys of schedule and firing.
WITH free AS (
    SELECT schedule.id
    FROM windlass.schedule
    WHERE schedule.id = ANY ($2)
    ORDER BY schedule.id
    FOR NO KEY UPDATE SKIP LOCKED
),
kept AS (
    UPDATE windlass.schedule
    SET revision = given.revision, next_tick = given.next_tick, held = given.held, look_at = given.look_at,
        last_tick = given.last_tick, last_job = given.last_job, fired = given.fired, skipped = given.skipped,
        error = given.error
    FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS given (id, revision, next_tick, held, look_at, last_tick,
        last_job, fired, skipped, error)
    JOIN free ON free.id = given.id
    WHERE schedule.id = given.id AND schedule.revision = given.revision - 1
    RETURNING schedule.id
),
recorded AS (
    INSERT INTO windlass.firing (schedule, tick, form, at, job, until, count)
    SELECT given.schedule, given.tick, given.form, $1, given.job, given.until, given.count
    FROM unnest($12, $13, $14, $15, $16, $17) AS given (schedule, tick, form, job, until, count)
    JOIN kept ON kept.id = given.schedule
    ON CONFLICT DO NOTHING
    RETURNING job
),
made AS (
    INSERT INTO windlass.job (id, created_at, run_at, lane, budget, priority, traits, deadline, args, options)
    SELECT given.id, $1,
        least(coalesce(given.run_at, $1 + coalesce(given.delay, 0) * interval '1 microsecond'), '9999-12-30 22:00:00+00'),
        given.lane, given.budget, given.priority, coalesce(given.traits, 0),
        coalesce(
            given.deadline,
            CASE WHEN given.deadline_delay IS NOT NULL THEN
                least($1 + given.deadline_delay * interval '1 microsecond', '9999-12-30 22:00:00+00')
            END
        ),
        given.args, given.options
    FROM unnest($18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28) WITH ORDINALITY AS given (id, lane, priority, budget,
        args, run_at, delay, deadline, deadline_delay, traits, options, place)
    JOIN recorded ON recorded.job = given.id
    ORDER BY given.place
    RETURNING id, traits
)
SELECT ARRAY(SELECT id FROM kept), ARRAY(SELECT job FROM recorded WHERE job IS NOT NULL),
    CASE WHEN EXISTS (SELECT FROM made WHERE traits & 32 <> 0) THEN
        windlass.ask_about_start(ARRAY(SELECT id FROM made WHERE traits & 32 <> 0), $1)
    END
