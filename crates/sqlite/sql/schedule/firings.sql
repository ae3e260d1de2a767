-- What became of the ticks of a schedule, the newest first, and within a tick its job.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds, of the entry the page goes on from; NULL for the newest
--   ?3  form      integer, of that entry
--   ?4  limit     integer
--
-- Index: the primary key.
SELECT tick, form, at, job, until, count
FROM firing
WHERE schedule = ?1 AND (?2 IS NULL OR tick < ?2 OR (tick = ?2 AND form > ?3))
ORDER BY tick DESC, form
LIMIT ?4
