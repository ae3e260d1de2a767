-- Adds lines to the log of a job that was locked in the same transaction, and keeps how much there is.
--
--   $1  job        uuid
--   $2  attempt    bigint
--   $3  at         timestamptz
--   $4  levels     smallint[]
--   $5  messages   text[]
--   $6  log_bytes  integer
--
-- Index: the primary keys of log and job. No row changed: there was nothing to add.
WITH counted AS (
    UPDATE windlass.job
    SET more.log_bytes = $6
    WHERE id = $1
)
INSERT INTO windlass.log (job, line, attempt, at, level, message)
SELECT $1, (SELECT coalesce(max(line), 0) FROM windlass.log WHERE job = $1) + given.place, $2, $3, given.level, given.message
FROM unnest($4, $5) WITH ORDINALITY AS given (level, message, place)
