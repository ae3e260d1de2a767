-- Jobs per queue and state, and since when the longest-waiting of each is due. Reads every job.
--
--   ?1  now  integer, microseconds
--
-- The CASE is the twin of `windlass_core::state::seen`.
SELECT lane.queue,
    CASE
        WHEN job.stage = 1 AND job.run_at <= ?1 THEN 2
        WHEN job.stage = 1 AND job.reason IN (4, 5, 6) THEN 3
        WHEN job.stage = 1 THEN 1
        ELSE job.stage + 2
    END AS state,
    count(*),
    min(job.run_at)
FROM job
JOIN lane ON lane.id = abs(job.lane)
GROUP BY lane.queue, state
