-- Makes jobs known whose ids were drawn for this call, and which differ in nothing but their args: due now, without deadline,
-- options and traits. What insert_drawn.sql does, with less to say.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  ids       uuid[]
--   $3  lane      integer
--   $4  priority  smallint
--   $5  budget    bigint
--   $6  args      bytea[]
INSERT INTO windlass.job (id, run_at, created_at, budget, lane, priority, args)
SELECT given.id, coalesce($1, statement_timestamp()), coalesce($1, statement_timestamp()), $5, $3, $4, given.args
FROM unnest($2, $6) AS given (id, args)
