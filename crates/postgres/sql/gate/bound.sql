-- Bounds a queue or a kind.
--
--   $1  form    smallint
--   $2  name    text
--   $3  most    bigint; NULL for no limit
--   $4  starts  bigint; NULL for no rate
--   $5  per     bigint, microseconds
--   $6  burst   bigint
INSERT INTO windlass.bound (form, name, most, starts, per, burst)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (form, name) DO UPDATE
SET most = excluded.most, starts = excluded.starts, per = excluded.per, burst = excluded.burst
