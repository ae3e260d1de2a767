-- Calls jobs that are parked at gates. A job that somebody else changes at this moment is left to them: it is on its way out.
--
--   $1  gates  bigint[]
--   $2  jobs   uuid[]
--
-- Index: stand_job, the primary key of job. No row: none was.
WITH free AS MATERIALIZED (
    SELECT job.id
    FROM windlass.job
    WHERE job.id = ANY ($2)
    FOR NO KEY UPDATE SKIP LOCKED
),
called AS (
    UPDATE windlass.stand
    SET called = true
    WHERE stand.ctid = ANY (ARRAY(
        SELECT found.spot
        FROM unnest($1, $2) AS given (gate, job)
        JOIN free ON free.id = given.job
        CROSS JOIN LATERAL (
            SELECT listed.ctid AS spot
            FROM windlass.stand AS listed
            WHERE listed.gate = given.gate AND listed.job = given.job
            OFFSET 0
        ) AS found
    ))
)
UPDATE windlass.job
SET lane = abs(lane)
WHERE id = ANY (ARRAY(SELECT id FROM free))
RETURNING id
