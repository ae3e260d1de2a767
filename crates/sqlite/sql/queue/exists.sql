-- Whether a queue ever was. No row: it was not.
--
--   ?1  name  text
SELECT 1
FROM lane
WHERE queue = ?1
UNION ALL
SELECT 1
FROM queue
WHERE name = ?1
LIMIT 1
