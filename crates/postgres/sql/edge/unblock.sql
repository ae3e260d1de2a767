-- Forgets how many parents jobs wait for that were blocked and have ended.
--
--   $1  ids  uuid[]
--
-- No row changed: none of them was counted.
DELETE FROM windlass.blocked
WHERE job = ANY ($1)
