-- Makes jobs known, and asks persons about those that need an approval; answers those whose ids were not there already.
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
--
-- An array that is shorter than the others counts as NULL beyond its end, so what nobody asks for is sent empty.
-- Index: the primary key of job decides what is there already, and history_id what has ended.
WITH made AS (
    INSERT INTO windlass.job (id, created_at, run_at, lane, budget, priority, traits, deadline, args, options)
    SELECT given.id, coalesce($1, statement_timestamp()),
        least(
            coalesce(given.run_at, coalesce($1, statement_timestamp()) + coalesce(given.delay, 0) * interval '1 microsecond'),
            '9999-12-30 22:00:00+00'
        ),
        given.lane, given.budget, given.priority, coalesce(given.traits, 0),
        coalesce(
            given.deadline,
            CASE WHEN given.deadline_delay IS NOT NULL THEN least(
                coalesce($1, statement_timestamp()) + given.deadline_delay * interval '1 microsecond',
                '9999-12-30 22:00:00+00'
            ) END
        ),
        given.args, given.options
    FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS given (id, lane, priority, budget, args, run_at,
        delay, deadline, deadline_delay, traits, options)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, traits
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
