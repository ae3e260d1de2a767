-- Lets a queue be claimed from again.
--
--   ?1  name  text
--
-- No row changed: it was not paused.
UPDATE queue
SET paused_at = NULL, paused_by = NULL, paused_why = NULL
WHERE name = ?1 AND paused_at IS NOT NULL
