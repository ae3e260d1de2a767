-- Pauses a queue; the first pause stays.
--
--   ?1  name       text
--   ?2  paused_at  integer, microseconds
--   ?3  paused_by  text
--   ?4  why        text; NULL if not said
INSERT INTO queue (name, paused_at, paused_by, paused_why)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE SET paused_at = ?2, paused_by = ?3, paused_why = ?4
WHERE queue.paused_at IS NULL
