-- Gives back what attempts had of gates, and takes jobs that no longer wait from their lists. Where others are parked, the next
-- claim looks whether there is room for them. A gate where nobody else is listed stays as it is.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  closed  uuid[], jobs whose attempts give back what they have
--   $3  left    uuid[], jobs that no longer wait
--   $4  keys    text[], order keys
--   $5  if_over  bool, whether only those of `closed` give back what they have whose jobs are over: all others are still in job
--
-- The gates were locked in the same transaction, by a statement before this one, so that it sees whoever was parked meanwhile.
-- Index: the primary key of job, held_job, stand_job, stand_here, stand_line, the primary key of gate. No row: nobody else is concerned.
WITH freed AS (
    DELETE FROM windlass.held
    WHERE held.ctid = ANY (ARRAY(
        SELECT found.spot
        FROM unnest($2) AS one (job)
        CROSS JOIN LATERAL (
            SELECT of_job.ctid AS spot
            FROM windlass.held AS of_job
            WHERE of_job.job = one.job
            OFFSET 0
        ) AS found
        WHERE NOT ($5 AND EXISTS (SELECT FROM windlass.job WHERE job.id = one.job OFFSET 0))
    ))
    RETURNING gate
),
gone AS (
    DELETE FROM windlass.stand
    WHERE stand.ctid = ANY (ARRAY(
        SELECT found.spot
        FROM unnest($3) AS one (job)
        CROSS JOIN LATERAL (
            SELECT of_job.ctid AS spot
            FROM windlass.stand AS of_job
            WHERE of_job.job = one.job
            OFFSET 0
        ) AS found
    ))
    RETURNING gate
),
concerned AS MATERIALIZED (
    SELECT gate, true AS freed
    FROM freed
    UNION ALL
    SELECT gate, false
    FROM gone
    UNION ALL
    SELECT order_key.id, false
    FROM unnest($4) AS one (name)
    CROSS JOIN LATERAL (
        SELECT known.id
        FROM windlass.gate AS known
        WHERE known.form = 5 AND known.name = one.name COLLATE "C"
        OFFSET 0
    ) AS order_key
)
UPDATE windlass.gate
SET freed_at = CASE WHEN given.freed AND given.is_lined THEN coalesce($1, statement_timestamp()) ELSE gate.freed_at END,
    opens_at = CASE WHEN given.parks THEN coalesce($1, statement_timestamp()) ELSE gate.opens_at END
FROM (
    SELECT one.gate, one.freed,
        EXISTS (
            SELECT
            FROM windlass.stand
            WHERE stand.gate = one.gate AND stand.in_line AND stand.job <> ALL ($3)
            OFFSET 0
        ) AS is_lined,
        EXISTS (
            SELECT
            FROM windlass.stand
            WHERE stand.gate = one.gate AND stand.here AND NOT stand.called AND stand.job <> ALL ($3)
            OFFSET 0
        ) AS parks
    FROM (SELECT concerned.gate, bool_or(concerned.freed) AS freed FROM concerned GROUP BY concerned.gate) AS one
) AS given
WHERE gate.id = given.gate AND (given.is_lined OR given.parks)
RETURNING gate.id
