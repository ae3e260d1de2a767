-- Makes a queue known with its pause, in place of the pause that it has.
--
--   $1  name   text
--   $2  since  timestamptz; NULL where it is not paused
--   $3  by     text; NULL where it is not paused
--   $4  why    text; NULL if not said
INSERT INTO windlass.queue (name, paused_at, paused_by, paused_why)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE
SET paused_at = excluded.paused_at, paused_by = excluded.paused_by, paused_why = excluded.paused_why
