-- Lets hold for a queue what holds for all.
--
--   $1  queue  text
--
-- Index: the primary key of retention. No row changed: nothing was said of it.
DELETE FROM windlass.retention
WHERE queue = $1
