-- What was answered to jobs that were not made. Those of which nothing is remembered have no row.
--
--   ?1  ids  array of blobs
--
-- Index: the primary key of answer.
SELECT answer.id, answer.job, answer.outcome, answer.at
FROM rarray(?1) AS wanted
CROSS JOIN answer ON answer.id = wanted.value
