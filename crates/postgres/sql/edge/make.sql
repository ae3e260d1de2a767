-- Makes jobs known of which some wait for others: those are made as what they are, held back until so many of their parents have
-- let them go. Asks persons about those that need an approval and are not held back; answers those whose ids were not there
-- already. Unless that is all of them, nobody is linked or counted, and the transaction must not be committed.
--
--   $1  now              timestamptz; NULL for the server's
--   $2  ids              uuid[]
--   $3  lanes            integer[]
--   $4  priorities       smallint[]
--   $5  budgets          bigint[]
--   $6  args             bytea[]
--   $7  run_at           timestamptz[]; NULL for now
--   $8  delays           bigint[], microseconds after that; NULL for none
--   $9  deadlines        timestamptz[]; NULL for none
--   $10 deadline_delays  bigint[], microseconds after now; NULL for none
--   $11 traits           integer[]; NULL for none
--   $12 options          text[], JSON; NULL where all is default
--   $13 ended_since      timestamptz, before which none of them can have ended; NULL if none can have
--   $14 waits            integer[], for how many parents; NULL for none
--   $15 children         uuid[], of the edges
--   $16 positions        integer[]
--   $17 parents          uuid[]
--   $18 policies         smallint[]
--
-- An array that is shorter than the others counts as NULL beyond its end, so what nobody asks for is sent empty. 2 is the stage
-- of those that wait, 7 their reason, and no claim comes across a lane below zero.
-- Index: the primary keys of job and blocked decide what is there already, and history_id what has ended. No row: all are.
WITH made AS (
    INSERT INTO windlass.job (id, created_at, run_at, lane, budget, priority, traits, deadline, args, options, stage, reason)
    SELECT given.id, coalesce($1, statement_timestamp()),
        least(
            coalesce(given.run_at, coalesce($1, statement_timestamp()) + coalesce(given.delay, 0) * interval '1 microsecond'),
            '9999-12-30 22:00:00+00'
        ),
        CASE WHEN given.waits IS NULL THEN given.lane ELSE -given.lane END, given.budget, given.priority,
        coalesce(given.traits, 0),
        coalesce(
            given.deadline,
            CASE WHEN given.deadline_delay IS NOT NULL THEN least(
                coalesce($1, statement_timestamp()) + given.deadline_delay * interval '1 microsecond',
                '9999-12-30 22:00:00+00'
            ) END
        ),
        given.args, given.options, CASE WHEN given.waits IS NULL THEN 1 ELSE 2 END, CASE WHEN given.waits IS NOT NULL THEN 7 END
    FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14) AS given (id, lane, priority, budget, args, run_at,
        delay, deadline, deadline_delay, traits, options, waits)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, traits
),
counted AS (
    INSERT INTO windlass.blocked (job, waits)
    SELECT given.id, given.waits
    FROM unnest($2, $14) AS given (id, waits)
    WHERE given.waits IS NOT NULL AND (SELECT count(*) FROM made) = cardinality($2)
    ON CONFLICT (job) DO UPDATE
    SET waits = excluded.waits
),
linked AS (
    INSERT INTO windlass.edge (child, position, parent, policy)
    SELECT *
    FROM unnest($15, $16, $17, $18)
    WHERE (SELECT count(*) FROM made) = cardinality($2)
)
SELECT made.id
FROM (
    SELECT $13 IS NULL OR windlass.refuse_ended(ARRAY(SELECT id FROM made), $13) AS fresh,
        CASE WHEN EXISTS (SELECT FROM made WHERE traits & 32 <> 0) THEN
            windlass.ask_about_start(ARRAY(SELECT id FROM made WHERE traits & 32 <> 0), coalesce($1, statement_timestamp()))
        END AS asked
) AS checked
CROSS JOIN made
WHERE checked.fresh
