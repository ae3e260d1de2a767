-- The open attempts of a queue or a kind, and since when.
--
--   ?1  queue  text; NULL for every queue
--   ?2  kind   text; NULL for every kind
--
-- Index: job_held. Looks at every open attempt.
SELECT job.seq, job.started_at
FROM job INDEXED BY job_held
JOIN lane ON lane.id = abs(job.lane)
WHERE job.holder IS NOT NULL AND (?1 IS NULL OR lane.queue = ?1) AND (?2 IS NULL OR lane.kind = ?2)
