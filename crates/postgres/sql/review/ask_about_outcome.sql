-- Puts jobs into review that this transaction has locked, with what they made. Their rows say already that they wait.
--
--   $1  ids        uuid[]
--   $2  asked_at   timestamptz[]
--   $3  staged     text[], JSON; NULL for none
--   $4  decide_by  timestamptz[]; NULL for never
--   $5  remind_at  timestamptz[]; NULL for never
--   $6  look_at    timestamptz[], the first of both; NULL for never
--
-- 3 is the stage, 9 the reason. `OFFSET 0` keeps the planner from walking through job where it takes it for empty.
-- Index: the primary keys of job and review. No row: there was none of them.
WITH made AS (
    INSERT INTO windlass.review AS known (job, asked_at, staged, decide_by, remind_at, look_at)
    SELECT given.id, given.asked_at, given.staged, given.decide_by, given.remind_at, given.look_at
    FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
        AS given (id, asked_at, staged, decide_by, remind_at, look_at, place)
    ORDER BY given.place
    ON CONFLICT (job) DO UPDATE
    SET number = excluded.number, round = known.round + 1, asked_at = excluded.asked_at, staged = excluded.staged,
        decide_by = excluded.decide_by, reminders = 0, remind_at = excluded.remind_at, open = true,
        look_at = excluded.look_at, decision = NULL, decided_at = NULL, reviewer = NULL, comment = NULL, digest = NULL,
        edited = false
)
UPDATE windlass.job
SET stage = 3, lane = -abs(job.lane), reason = 9
FROM unnest($1) AS given (id)
CROSS JOIN LATERAL (
    SELECT seen.ctid AS place
    FROM windlass.job AS seen
    WHERE seen.id = given.id
    OFFSET 0
) AS found
WHERE job.ctid = found.place
RETURNING job.id
