-- Keeps schedules: new ones, and those of their names as they are from now on.
--
--   $1  names            text[]
--   $2  asked            text[], JSON
--   $3  programs         text[]; NULL for one made by hand
--   $4  created_at       timestamptz[]
--   $5  changed_at       timestamptz[]
--   $6  anchors          timestamptz[]
--   $7  next_ticks       timestamptz[]; NULL for none
--   $8  held             timestamptz[]; NULL for none
--   $9  look_at          timestamptz[]; NULL for never
--   $10 paused_at        timestamptz[]; NULL where it is not paused
--   $11 paused_by        text[]; NULL where it is not paused
--   $12 paused_why       text[]; NULL for no reason
--   $13 removed_at       timestamptz[]; NULL where it is not removed
--   $14 last_ticks       timestamptz[]; NULL for none
--   $15 last_jobs        uuid[]; NULL for none
--   $16 fired            bigint[]
--   $17 skipped          bigint[]
--   $18 forgotten_until  timestamptz[]; NULL for nothing
--   $19 errors           text[]; NULL for none
--   $20 revisions        bigint[]
--
-- Index: schedule_name_key.
INSERT INTO windlass.schedule (name, asked, program, created_at, changed_at, anchor, next_tick, held, look_at, paused_at,
    paused_by, paused_why, removed_at, last_tick, last_job, fired, skipped, forgotten_until, error, revision)
SELECT given.name, given.asked, given.program, given.created_at, given.changed_at, given.anchor, given.next_tick, given.held,
    given.look_at, given.paused_at, given.paused_by, given.paused_why, given.removed_at, given.last_tick, given.last_job,
    given.fired, given.skipped, given.forgotten_until, given.error, given.revision
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    WITH ORDINALITY AS given (name, asked, program, created_at, changed_at, anchor, next_tick, held, look_at, paused_at,
        paused_by, paused_why, removed_at, last_tick, last_job, fired, skipped, forgotten_until, error, revision, place)
ORDER BY given.place
ON CONFLICT (name) DO UPDATE SET asked = excluded.asked, program = excluded.program, changed_at = excluded.changed_at,
    anchor = excluded.anchor, next_tick = excluded.next_tick, held = excluded.held, look_at = excluded.look_at,
    paused_at = excluded.paused_at, paused_by = excluded.paused_by, paused_why = excluded.paused_why,
    removed_at = excluded.removed_at, last_tick = excluded.last_tick, last_job = excluded.last_job, fired = excluded.fired,
    skipped = excluded.skipped, forgotten_until = excluded.forgotten_until, error = excluded.error,
    revision = excluded.revision
