-- Lets a queue be claimed from again.
--
--   ?1  name  text
UPDATE queue
SET paused_at = NULL, paused_by = NULL, paused_why = NULL
WHERE name = ?1
