-- Marks unfinished jobs as ones that others wait for, and locks them: until the end of the transaction none of them can end.
-- Those that somebody else has locked are passed over, for whoever waits here while he holds others may be waited for.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job. No row: none of them is there, or to be had now.
WITH open AS MATERIALIZED (
    SELECT id
    FROM windlass.job
    WHERE id = ANY ($1)
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE windlass.job
SET traits = traits | 2
WHERE id = ANY (ARRAY(SELECT id FROM open))
RETURNING id, stage, holder
