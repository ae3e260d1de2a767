-- Keys that are taken, in their order, a page at a time.
--
--   ?1  after  blob; NULL for the first page
--   ?2  limit  integer
--
-- Index: the primary key of unique_key. No row: there are no more.
SELECT job, hold, until, next, free_at, key
FROM unique_key
WHERE ?1 IS NULL OR key > ?1
ORDER BY key
LIMIT ?2
