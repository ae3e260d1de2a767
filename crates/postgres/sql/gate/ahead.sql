-- Due jobs of a queue that come before a place, in claim order: those in the sight of claims, and those parked at gates that
-- time has opened.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  queue     text
--   $3  priority  smallint
--   $4  run_at    timestamptz
--   $5  seq       bigint
--   $6  limit     bigint
--
-- Index: job_place, gate_opens, stand_here. No row: none does.
SELECT before.id
FROM (
    SELECT seen.id, seen.priority, seen.run_at, seen.seq
    FROM windlass.lane
    CROSS JOIN unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
    CROSS JOIN LATERAL (
        SELECT job.id, job.priority, job.run_at, job.seq, job.deadline
        FROM windlass.job
        WHERE job.lane = lane.id AND job.priority = band.priority AND job.holder = 0
            AND job.run_at <= coalesce($1, statement_timestamp())
            AND (job.deadline IS NULL OR job.deadline > coalesce($1, statement_timestamp()))
        ORDER BY job.run_at, job.seq
        LIMIT $6
    ) AS seen
    WHERE lane.queue = $2 AND band.priority <= $3
    UNION ALL
    SELECT job.id, job.priority, job.run_at, job.seq
    FROM windlass.gate
    JOIN windlass.stand ON stand.gate = gate.id AND stand.here AND NOT stand.called
    JOIN windlass.lane ON lane.id = stand.lane AND lane.queue = $2
    CROSS JOIN LATERAL (
        SELECT seen.id, seen.priority, seen.run_at, seen.seq, seen.deadline
        FROM windlass.job AS seen
        WHERE seen.id = stand.job
        OFFSET 0
    ) AS job
    WHERE gate.opens_at <= coalesce($1, statement_timestamp())
        AND (job.deadline IS NULL OR job.deadline > coalesce($1, statement_timestamp()))
) AS before
WHERE (before.priority, before.run_at, before.seq) < ($3, $4, $5)
ORDER BY before.priority, before.run_at, before.seq
LIMIT $6
