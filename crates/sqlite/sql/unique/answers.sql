-- What is remembered of jobs that were not made, in the order of their ids, a page at a time.
--
--   ?1  after  blob; NULL for the first page
--   ?2  limit  integer
--
-- Index: the primary key of answer. No row: there are no more.
SELECT id, job, outcome, at
FROM answer
WHERE ?1 IS NULL OR id > ?1
ORDER BY id
LIMIT ?2
