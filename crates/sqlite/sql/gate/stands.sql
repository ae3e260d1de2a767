-- The gates where a job is listed.
--
--   ?1  seq  integer
--
-- Index: stand_seq.
SELECT gate
FROM stand
WHERE seq = ?1
ORDER BY gate
