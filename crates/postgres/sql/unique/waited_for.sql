-- The job that has the key which another waits for.
--
--   $1  next  uuid
--
-- Index: unique_key_next. No row: it waits for none.
SELECT job
FROM windlass.unique_key
WHERE next = $1
