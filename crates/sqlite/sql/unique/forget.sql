-- Forgets keys whose jobs have ended and that are kept no longer.
--
--   ?1  now    integer, microseconds
--   ?2  limit  integer
--
-- Index: unique_key_over.
DELETE FROM unique_key
WHERE key IN (
    SELECT key
    FROM unique_key
    WHERE hold = 0 AND until <= ?1
    ORDER BY until
    LIMIT ?2
)
