-- Forgets answers that nobody asks for any more.
--
--   ?1  before  integer, microseconds
--   ?2  limit   integer
--
-- Index: answer_at.
DELETE FROM answer
WHERE id IN (
    SELECT id
    FROM answer
    WHERE at <= ?1
    ORDER BY at
    LIMIT ?2
)
