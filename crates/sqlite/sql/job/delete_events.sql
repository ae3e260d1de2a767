-- Removes what is kept of changes by hand.
--
--   ?1  id  blob
DELETE FROM event
WHERE job = ?1
