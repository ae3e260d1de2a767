-- Calls jobs that are parked at gates. A job that somebody else changes at this moment is left to them: it is on its way out.
--
--   $1  gates  bigint[]
--   $2  jobs   uuid[]
--
-- Index: the primary keys of stand and job. No row: none was.
WITH free AS MATERIALIZED (
    SELECT job.id
    FROM windlass.job
    WHERE job.id = ANY ($2)
    FOR NO KEY UPDATE SKIP LOCKED
),
called AS (
    UPDATE windlass.stand
    SET called = true
    FROM unnest($1, $2) AS given (gate, job)
    WHERE stand.gate = given.gate AND stand.job = given.job AND stand.job = ANY (ARRAY(SELECT id FROM free))
)
UPDATE windlass.job
SET lane = abs(lane)
WHERE id = ANY (ARRAY(SELECT id FROM free))
RETURNING id
