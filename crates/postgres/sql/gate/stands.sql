-- Where jobs are listed.
--
--   $1  jobs  uuid[]
--
-- Index: stand_job. No row: nowhere.
SELECT one.job, listed.gate
FROM unnest($1) AS one (job)
CROSS JOIN LATERAL (
    SELECT stand.gate
    FROM windlass.stand
    WHERE stand.job = one.job
    OFFSET 0
) AS listed
