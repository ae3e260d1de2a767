-- Removes of each of these schedules the history beyond its newest entries, and notes up to where it is gone.
--
--   $1  schedules  bigint[], ids
--   $2  kept       bigint
--
-- Index: the primary keys.
WITH last AS (
    SELECT given.id, entry.tick, entry.form
    FROM unnest($1) AS given (id)
    CROSS JOIN LATERAL (
        SELECT firing.tick, firing.form
        FROM windlass.firing
        WHERE firing.schedule = given.id
        ORDER BY firing.tick DESC, firing.form
        LIMIT 1 OFFSET $2
    ) AS entry
),
gone AS (
    DELETE FROM windlass.firing
    USING last
    WHERE firing.schedule = last.id AND (firing.tick < last.tick OR (firing.tick = last.tick AND firing.form >= last.form))
)
UPDATE windlass.schedule
SET forgotten_until = greatest(schedule.forgotten_until, last.tick)
FROM last
WHERE schedule.id = last.id
