-- Recorded attempts of a job, first one first.
--
--   $1  id  uuid
SELECT attempt.number, worker.name, attempt.started_at, attempt.ended_at, attempt.outcome, attempt.error
FROM windlass.attempt
LEFT JOIN windlass.worker ON worker.number = attempt.worker
WHERE attempt.job = $1
ORDER BY attempt.number
