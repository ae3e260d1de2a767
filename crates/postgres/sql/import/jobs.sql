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
--   $9  budgets           bigint[]
--   $10 losses            bigint[]
--   $11 numbers           bigint[]
--   $12 attempts          bigint[]
--   $13 revisions         bigint[]
--   $14 stages            smallint[]
--   $15 reasons           smallint[]; NULL for none
--   $16 priorities        smallint[]
--   $17 traits            integer[]
--   $18 log_bytes         integer[]
--   $19 deadlines         timestamptz[]; NULL for none
--   $20 progress          smallint[]; NULL for none
--   $21 args              bytea[]
--   $22 options           text[], JSON; NULL where all is default
--   $23 messages          text[], of the progress; NULL for none
--   $24 checkpoints       text[], JSON; NULL for none
--   $25 results           text[], JSON; NULL for none
--   $26 errors            text[], JSON; NULL for none
--
-- Their tokens were given by another store: none is good here, so every nonce is zero. Index: none is read; the primary key
-- of job refuses an id that is there.
WITH given AS (
    SELECT given.*, CASE
            WHEN coalesce(progress::text, checkpoint, error) IS NOT NULL OR losses > 0 OR log_bytes > 0
                THEN (progress, progress_message, checkpoint, error, losses, log_bytes, NULL)::windlass.more
        END AS more
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
        $25, $26) AS given (id, seq, created_at, run_at, started_at, finished_at, lane, worker, budget, losses, number, attempt,
        revision, stage, reason, priority, traits, log_bytes, deadline, progress, args, options, progress_message, checkpoint,
        result, error)
),
unfinished AS (
    INSERT INTO windlass.job (id, seq, run_at, created_at, budget, lane, traits, priority, stage, number, attempt, revision,
        started_at, worker, reason, deadline, args, options, more)
    OVERRIDING SYSTEM VALUE
    SELECT id, seq, run_at, created_at, budget, lane, traits, priority, stage, number, attempt, revision,
        started_at, worker, reason, deadline, args, options, more
    FROM given
    WHERE stage < 5
    ORDER BY seq
)
INSERT INTO windlass.history (id, seq, run_at, created_at, finished_at, budget, nonce, number, attempt, revision, lane, traits,
    priority, stage, reason, worker, started_at, deadline, args, options, result, more)
SELECT id, seq, run_at, created_at, finished_at, budget, 0, number, attempt, revision, lane, traits,
    priority, stage, reason, worker, started_at, deadline, args, options, result, more
FROM given
WHERE stage >= 5
ORDER BY seq
