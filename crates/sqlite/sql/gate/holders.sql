-- Who has what a gate gives, the first ones.
--
--   ?1  gate   integer
--   ?2  limit  integer
--
-- Index: the primary key of held.
SELECT job.id, held.exclusive, held.since
FROM held
JOIN job ON job.seq = held.seq
WHERE held.gate = ?1
ORDER BY held.since, job.id
LIMIT ?2
