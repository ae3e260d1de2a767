-- Makes jobs known as they stand, the unfinished ones and those that have ended.
--
--   $1  ids               uuid[]
--   $2  seqs              bigint[]
--   $3  created           timestamptz[]
--   $4  run_at            timestamptz[]
--   $5  started           timestamptz[]; NULL for not yet
--   $6  finished          timestamptz[]; NULL for not yet
--   $7  lanes             integer[]
--   $8  workers           integer[]; NULL for none
--   $9  attempts_max      bigint[]
--   $10 losses_max        bigint[]
--   $11 losses            bigint[]
--   $12 numbers           bigint[]
--   $13 attempts          bigint[]
--   $14 revisions         bigint[]
--   $15 stages            smallint[]
--   $16 reasons           smallint[]; NULL for none
--   $17 priorities        smallint[]
--   $18 traits            integer[]
--   $19 log_bytes         integer[]
--   $20 deadlines         timestamptz[]; NULL for none
--   $21 progress          smallint[]; NULL for none
--   $22 args              bytea[]
--   $23 options           text[], JSON; NULL where all is default
--   $24 messages          text[], of the progress; NULL for none
--   $25 checkpoints       text[], JSON; NULL for none
--   $26 results           text[], JSON; NULL for none
--   $27 errors            text[], JSON; NULL for none
--
-- Their tokens were given by another store: none is good here, so every nonce is zero. Index: none is read; the primary key
-- of job refuses an id that is there.
WITH given AS (
    SELECT *
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
        $25, $26, $27) AS given (id, seq, created_at, run_at, started_at, finished_at, lane, worker, attempts_max, losses_max,
        losses, number, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
        progress_message, checkpoint, result, error)
),
unfinished AS (
    INSERT INTO windlass.job (id, seq, created_at, run_at, started_at, lane, worker, attempts_max, losses_max, losses, number,
        attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options, progress_message,
        checkpoint, error)
    OVERRIDING SYSTEM VALUE
    SELECT id, seq, created_at, run_at, started_at, lane, worker, attempts_max, losses_max, losses, number,
        attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options, progress_message,
        checkpoint, error
    FROM given
    WHERE stage < 5
    ORDER BY seq
)
INSERT INTO windlass.history (id, seq, created_at, run_at, started_at, finished_at, lane, worker, attempts_max, losses_max,
    losses, number, nonce, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result, error)
SELECT id, seq, created_at, run_at, started_at, finished_at, lane, worker, attempts_max, losses_max,
    losses, number, 0, attempt, revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options,
    progress_message, checkpoint, result, error
FROM given
WHERE stage >= 5
ORDER BY seq
