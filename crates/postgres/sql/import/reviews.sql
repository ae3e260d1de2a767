-- Takes in what is or was to be decided about jobs.
--
--   $1  jobs        uuid[]
--   $2  rounds      bigint[]
--   $3  asked       timestamptz[]
--   $4  staged      text[], JSON; NULL for none
--   $5  decide_by   timestamptz[]; NULL for never
--   $6  reminders   bigint[]
--   $7  remind_at   timestamptz[]; NULL for never again
--   $8  open        boolean[]
--   $9  decisions   smallint[]; NULL for nothing yet
--   $10 decided_at  timestamptz[]; NULL likewise
--   $11 reviewers   text[]; NULL where nobody decided in time
--   $12 comments    text[]; NULL for none
--   $13 digests     bytea[]; NULL likewise
--   $14 edited      boolean[]
INSERT INTO windlass.review (job, round, asked_at, staged, decide_by, reminders, remind_at, open, look_at, decision,
    decided_at, reviewer, comment, digest, edited)
SELECT job, round, asked_at, staged, decide_by, reminders, remind_at, open,
    CASE WHEN open THEN least(decide_by, remind_at) END, decision, decided_at, reviewer, comment, digest, edited
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS given (job, round, asked_at, staged, decide_by,
    reminders, remind_at, open, decision, decided_at, reviewer, comment, digest, edited)
