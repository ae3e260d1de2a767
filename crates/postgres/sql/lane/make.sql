-- Makes lanes that are not there yet.
--
--   $1  queues    text[]
--   $2  kinds     text[]
--   $3  versions  bigint[]
INSERT INTO windlass.lane (queue, kind, version)
SELECT *
FROM unnest($1, $2, $3)
ON CONFLICT (queue, kind, version) DO NOTHING
