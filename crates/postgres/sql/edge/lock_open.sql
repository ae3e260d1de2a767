-- The same as lock_parents.sql, waiting for whoever has locked one: for a transaction that is not ours to give up. Answers those
-- that will still end.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job. No row: none of them is there.
WITH open AS MATERIALIZED (
    SELECT id
    FROM windlass.job
    WHERE id = ANY ($1)
    ORDER BY id
    FOR NO KEY UPDATE
),
marked AS (
    UPDATE windlass.job
    SET traits = traits | 2
    WHERE id = ANY (ARRAY(SELECT id FROM open))
    RETURNING id, stage
)
SELECT id
FROM marked
WHERE stage <> 6
