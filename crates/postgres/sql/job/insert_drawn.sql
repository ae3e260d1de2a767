-- Makes jobs known whose ids were drawn for this call, so that none of them can be there already, and that nobody reviews.
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
--
-- An array that is shorter than the others counts as NULL beyond its end, so what nobody asks for is sent empty.
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
