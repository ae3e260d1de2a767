-- Makes lanes that are not there yet.
--
--   $1  queues    text[]
--   $2  kinds     text[]
--   $3  versions  bigint[]
--   $4  gated     boolean[], whether for jobs that have gates of their own
INSERT INTO windlass.lane (queue, kind, version, gated)
SELECT *
FROM unnest($1, $2, $3, $4)
ON CONFLICT (queue, kind, version, gated) DO NOTHING
