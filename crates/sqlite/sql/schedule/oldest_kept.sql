-- The newest entry of a history that is one too many. No row: there are no more than are kept.
--
--   ?1  schedule  integer
--   ?2  kept      integer
--
-- Index: the primary key.
SELECT tick, form
FROM firing
WHERE schedule = ?1
ORDER BY tick DESC, form
LIMIT 1 OFFSET ?2
