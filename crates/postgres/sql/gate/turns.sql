-- The first job of each order key that is not final. No row: there is none.
--
--   $1  keys  text[]
--
-- Index: job_turn.
SELECT wanted.key, first.seq, first.id
FROM unnest($1) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT job.seq, job.id
    FROM windlass.job
    WHERE windlass.order_key(job.traits, job.options) = wanted.key COLLATE "C"
        AND windlass.order_key(job.traits, job.options) IS NOT NULL AND job.stage <> 6
    ORDER BY job.seq
    LIMIT 1
) AS first
