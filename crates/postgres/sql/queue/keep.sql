-- Says how long finished jobs of a queue are kept.
--
--   $1  queue      text
--   $2  completed  bigint, microseconds; below zero for ever, NULL for as long as holds for all
--   $3  cancelled  bigint, as above
--   $4  dead       bigint, as above
--
-- Index: the primary key of retention.
INSERT INTO windlass.retention (queue, completed, cancelled, dead)
VALUES ($1, $2, $3, $4)
ON CONFLICT (queue) DO UPDATE
SET completed = excluded.completed, cancelled = excluded.cancelled, dead = excluded.dead
