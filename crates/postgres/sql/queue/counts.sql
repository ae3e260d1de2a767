-- Jobs per queue and state, and since when the longest-waiting of each is due. Reads every job.
--
--   $1  now  timestamptz; NULL for the server's
--
-- The CASE is the twin of `windlass_core::state::seen`.
SELECT lane.queue,
    CASE
        WHEN job.stage = 1 AND job.holder <> 0 THEN 6
        WHEN job.stage = 1 AND job.run_at <= coalesce($1, statement_timestamp()) THEN 2
        WHEN job.stage = 1 AND job.reason IN (4, 5, 6) THEN 3
        WHEN job.stage = 1 THEN 1
        ELSE job.stage + 2
    END AS state,
    count(*),
    min(job.run_at)
FROM windlass.every_job AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
GROUP BY lane.queue, state
