-- Lanes made since we last looked.
--
--   ?1  id  integer, the largest we know
--
-- Index: the primary key of lane. No row: there are none.
SELECT id, queue, kind, version
FROM lane
WHERE id > ?1
ORDER BY id
