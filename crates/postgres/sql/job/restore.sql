-- Brings jobs back that have ended, each with a new budget, due now. A deadline that has passed no longer holds.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  ids  uuid[]
--
-- Index: history_id. No row: somebody else brought them back or removed them.
WITH back AS (
    DELETE FROM windlass.history
    WHERE id = ANY ($2)
    RETURNING *
)
INSERT INTO windlass.job (id, seq, run_at, created_at, budget, lane, traits, priority, nonce, number, revision, started_at,
    worker, deadline, args, options, more)
OVERRIDING SYSTEM VALUE
SELECT id, seq, coalesce($1, statement_timestamp()), created_at, budget, lane, traits, priority, nonce, number, revision + 1,
    started_at, worker, CASE WHEN deadline > coalesce($1, statement_timestamp()) THEN deadline END, args, options,
    CASE WHEN more IS DISTINCT FROM NULL THEN (
        (more).progress, (more).progress_message, (more).checkpoint, (more).error, NULL, (more).log_bytes, NULL
    )::windlass.more END
FROM back
RETURNING id
