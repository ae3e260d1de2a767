-- Jobs in review for which time alone brings something about.
--
--   ?1  now    integer, microseconds
--   ?2  limit  integer
--
-- Index: review_look.
SELECT job
FROM review INDEXED BY review_look
WHERE look_at IS NOT NULL AND look_at <= ?1
ORDER BY look_at, number
LIMIT ?2
