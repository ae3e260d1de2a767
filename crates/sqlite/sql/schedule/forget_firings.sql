-- Removes a history up to an entry.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds
--   ?3  form      integer
--
-- Index: the primary key. No row: it is gone already.
DELETE FROM firing
WHERE schedule = ?1 AND (tick < ?2 OR (tick = ?2 AND form >= ?3))
