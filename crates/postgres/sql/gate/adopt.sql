-- Counts the open attempts of a queue or a kind at a gate that was locked in the same transaction; marks their jobs.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  gate   bigint
--   $3  queue  text; NULL for every queue
--   $4  kind   text; NULL for every kind
--
-- No claim is under way meanwhile: the table of claims is locked. 16 is `Traits::GATED`.
-- Index: the primary key of job. Looks at every open attempt. No row: nothing of it runs.
WITH running AS (
    UPDATE windlass.job
    SET traits = traits | 16
    WHERE id = ANY (ARRAY(
        SELECT seen.id
        FROM windlass.claim
        CROSS JOIN unnest(claim.jobs) AS given (job)
        CROSS JOIN LATERAL (
            SELECT job.id, job.lane
            FROM windlass.job
            WHERE job.id = given.job AND job.nonce = claim.nonce AND job.holder <> 0
            OFFSET 0
        ) AS seen
        JOIN windlass.lane ON lane.id = abs(seen.lane)
        WHERE ($3 IS NULL OR lane.queue = $3) AND ($4 IS NULL OR lane.kind = $4)
    ))
    RETURNING id, started_at
)
INSERT INTO windlass.held (gate, job, exclusive, since)
SELECT $2, id, false, coalesce(started_at, $1, statement_timestamp())
FROM running
