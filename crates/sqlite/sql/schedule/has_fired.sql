-- Whether a tick has made its job. No row: it has not.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds
--
-- Index: the primary key.
SELECT 1
FROM firing
WHERE schedule = ?1 AND tick = ?2 AND form = 0
