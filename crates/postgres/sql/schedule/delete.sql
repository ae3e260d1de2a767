-- Removes a schedule with its history.
--
--   $1  id  bigint
--
-- Index: the primary keys of schedule and firing.
WITH history AS (
    DELETE FROM windlass.firing
    WHERE schedule = $1
)
DELETE FROM windlass.schedule
WHERE id = $1
