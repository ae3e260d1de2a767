-- Makes one job known as insert_alike.sql does: for a caller alone, who waits for it.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  id        uuid
--   $3  lane      integer
--   $4  priority  smallint
--   $5  budget    bigint
--   $6  args      bytea
INSERT INTO windlass.job (id, run_at, created_at, budget, lane, priority, args)
VALUES ($2, coalesce($1, statement_timestamp()), coalesce($1, statement_timestamp()), $5, $3, $4, $6)
