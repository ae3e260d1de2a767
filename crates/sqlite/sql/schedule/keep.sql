-- Keeps a schedule: a new one, or the one of its name as it is from now on.
--
--   ?1  name             text
--   ?2  asked            text, JSON
--   ?3  program          text; NULL for one made by hand
--   ?4  created_at       integer, microseconds
--   ?5  changed_at       integer, microseconds
--   ?6  anchor           integer, microseconds
--   ?7  next_tick        integer, microseconds; NULL for none
--   ?8  held             integer, microseconds; NULL for none
--   ?9  look_at          integer, microseconds; NULL for never
--   ?10 paused_at        integer, microseconds; NULL where it is not paused
--   ?11 paused_by        text; NULL where it is not paused
--   ?12 paused_why       text; NULL for no reason
--   ?13 removed_at       integer, microseconds; NULL where it is not removed
--   ?14 last_tick        integer, microseconds; NULL for none
--   ?15 last_job         blob; NULL for none
--   ?16 fired            integer
--   ?17 skipped          integer
--   ?18 forgotten_until  integer, microseconds; NULL for nothing
--   ?19 error            text; NULL for none
--   ?20 revision         integer
--
-- Index: the unique one on the name.
INSERT INTO schedule (name, asked, program, created_at, changed_at, anchor, next_tick, held, look_at, paused_at, paused_by,
    paused_why, removed_at, last_tick, last_job, fired, skipped, forgotten_until, error, revision)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
ON CONFLICT (name) DO UPDATE SET asked = ?2, program = ?3, changed_at = ?5, anchor = ?6, next_tick = ?7, held = ?8,
    look_at = ?9, paused_at = ?10, paused_by = ?11, paused_why = ?12, removed_at = ?13, last_tick = ?14, last_job = ?15,
    fired = ?16, skipped = ?17, forgotten_until = ?18, error = ?19, revision = ?20
