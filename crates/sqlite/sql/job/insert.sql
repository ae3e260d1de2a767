-- Makes one job known. Changes no row when the id is there already.
--
--   ?1  id            blob, 16 bytes
--   ?2  lane          integer
--   ?3  priority      integer, 1 to 5
--   ?4  run_at        integer, microseconds
--   ?5  attempts_max  integer
--   ?6  losses_max    integer
--   ?7  created_at    integer, microseconds
--   ?8  deadline      integer, microseconds; NULL for none
--   ?9  args          text for JSON, blob for other bytes
--   ?10 options       text, JSON; NULL where all is default
--   ?11 traits        integer
--
-- Index: job_id decides what is there already.
INSERT INTO job (id, lane, stage, priority, run_at, attempts_max, losses_max, created_at, deadline, args, options, traits)
VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (id) DO NOTHING
