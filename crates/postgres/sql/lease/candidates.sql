-- Locks the first due jobs of a scope and priority in claim order, with what has to be known to lease or to end them.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  queues    text[]; NULL for every queue but those of Windlass's own
--   $3  kinds     text[]; NULL for every kind
--   $4  versions  bigint[], the newest version of each kind
--   $5  priority  smallint
--   $6  limit     bigint
--
-- For a claim that meets jobs past their deadline; see claim.sql for all others.
-- Index: job_place. Reads every lane.
SELECT locked.id, coalesce(locked.deadline <= coalesce($1, statement_timestamp()), false)
FROM windlass.lane
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place, seen.run_at, seen.seq
    FROM windlass.job AS seen
    WHERE seen.lane = lane.id AND seen.priority = $5 AND seen.run_at <= coalesce($1, statement_timestamp())
        AND seen.holder = 0
    ORDER BY seen.run_at, seen.seq
    LIMIT $6 + 500
) AS spare
JOIN windlass.job AS locked ON locked.ctid = spare.place AND locked.holder = 0
WHERE (lane.queue = ANY ($2) OR $2 IS NULL AND NOT starts_with(lane.queue, 'windlass' || '.'))
    AND ($3 IS NULL OR EXISTS (
        SELECT
        FROM unnest($3, $4) AS known (kind, version_max)
        WHERE known.kind = lane.kind AND known.version_max >= lane.version
    ))
    AND NOT EXISTS (SELECT FROM windlass.queue WHERE queue.name = lane.queue AND queue.paused_at IS NOT NULL)
ORDER BY spare.run_at, spare.seq
LIMIT $6
FOR NO KEY UPDATE OF locked SKIP LOCKED
