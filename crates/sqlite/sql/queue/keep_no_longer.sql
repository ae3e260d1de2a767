-- Lets hold for a queue what holds for all.
--
--   ?1  queue  text
--
-- Index: the primary key of retention.
DELETE FROM retention
WHERE queue = ?1
