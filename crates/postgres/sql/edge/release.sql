-- Lets blocked jobs wait like any other, that this transaction has locked and that wait for no parent any more.
--
--   $1  ids  uuid[]
--
-- `OFFSET 0` keeps the planner from walking through job where it takes it for empty. Index: the primary keys of job and blocked.
-- No row: none of them is there.
WITH gone AS (
    DELETE FROM windlass.blocked
    WHERE job = ANY ($1)
)
UPDATE windlass.job
SET stage = 1, lane = abs(job.lane), reason = NULL, revision = job.revision + 1
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place
    FROM windlass.job AS seen
    WHERE seen.id = given.id
    OFFSET 0
) AS found
WHERE job.ctid = found.place
RETURNING job.id, job.traits
