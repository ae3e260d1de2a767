-- Takes jobs from the lists of gates that were given what others asked for: they are to be asked anew. The next claim looks whether
-- there is room for those behind them.
--
--   $1  jobs  uuid[]
--
-- Index: stand_job, the primary key of gate. No row: they were in none.
WITH concerned AS MATERIALIZED (
    SELECT gate.id
    FROM windlass.gate
    WHERE gate.id = ANY (ARRAY(
        SELECT listed.gate
        FROM unnest($1) AS one (job)
        CROSS JOIN LATERAL (
            SELECT stand.gate
            FROM windlass.stand
            WHERE stand.job = one.job
            OFFSET 0
        ) AS listed
    ))
    ORDER BY gate.id
    FOR UPDATE
),
gone AS (
    DELETE FROM windlass.stand
    WHERE job = ANY ($1)
    RETURNING job
),
opened AS (
    UPDATE windlass.gate
    SET opens_at = '-infinity'
    WHERE id = ANY (ARRAY(SELECT id FROM concerned))
)
SELECT DISTINCT job
FROM gone
