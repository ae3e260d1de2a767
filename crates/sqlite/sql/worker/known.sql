-- A worker that is known, whether or not its lease holds. No row: it is unknown or gone.
--
--   ?1  id  blob
--
-- Index: that of the unique id.
SELECT number
FROM worker
WHERE id = ?1 AND gone_at IS NULL
