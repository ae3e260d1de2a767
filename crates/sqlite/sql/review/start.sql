-- Lets a job wait for its time whose start was accepted.
--
--   ?1  seq   integer
--   ?2  args  text for JSON, blob for other bytes; NULL where they stay as they are
UPDATE job
SET stage = 1, reason = NULL, args = coalesce(?2, args), revision = revision + 1
WHERE seq = ?1
