-- What became of the ticks of a schedule, the newest first, and within a tick its job.
--
--   $1  schedule  bigint
--   $2  tick      timestamptz, of the entry the page goes on from; NULL for the newest
--   $3  form      smallint, of that entry
--   $4  limit     bigint
--
-- Index: the primary key of firing.
SELECT tick, form, at, job, until, count
FROM windlass.firing
WHERE schedule = $1 AND ($2 IS NULL OR (tick <= $2 AND (tick < $2 OR form > $3)))
ORDER BY tick DESC, form
LIMIT $4
