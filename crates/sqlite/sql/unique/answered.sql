-- What was answered to a job that was not made. No row: nothing is remembered of it.
--
--   ?1  id  blob
--
-- Index: the primary key of answer.
SELECT job, outcome, at
FROM answer
WHERE id = ?1
