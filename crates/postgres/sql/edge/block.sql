-- Holds jobs back that this transaction has locked, each until so many of its parents have let it go.
--
--   $1  ids    uuid[]
--   $2  waits  integer[]
--
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty. 2 is the stage, 7 the reason.
-- Nobody is asked about one of them any more.
-- Index: the primary keys of job, blocked and review. No row: none of them is there.
WITH counted AS (
    INSERT INTO windlass.blocked (job, waits)
    SELECT *
    FROM unnest($1, $2)
    ON CONFLICT (job) DO UPDATE
    SET waits = excluded.waits
),
withdrawn AS (
    DELETE FROM windlass.review
    WHERE job = ANY ($1) AND open
)
UPDATE windlass.job
SET stage = 2, lane = -abs(job.lane), reason = 7
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place
    FROM windlass.job AS seen
    WHERE seen.id = given.id
    OFFSET 0
) AS found
WHERE job.ctid = found.place
RETURNING job.id
