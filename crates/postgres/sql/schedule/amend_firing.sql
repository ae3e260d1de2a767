-- Says that another job stands for that of a tick.
--
--   $1  schedule  bigint
--   $2  tick      timestamptz
--   $3  job       uuid
--
-- Index: the primary key. No row: there is no such firing.
UPDATE windlass.firing
SET job = $3
WHERE schedule = $1 AND tick = $2 AND form = 0
