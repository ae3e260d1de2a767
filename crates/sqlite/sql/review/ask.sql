-- Brings a job into review, for the first time or once more.
--
--   ?1  job        blob
--   ?2  asked_at   integer, microseconds
--   ?3  staged     text, JSON; NULL for none
--   ?4  decide_by  integer, microseconds; NULL for never
--   ?5  remind_at  integer, microseconds; NULL for never
--   ?6  look_at    integer, microseconds, the first of both; NULL for never
--
-- Index: the unique one of review.job decides what is there already.
INSERT OR REPLACE INTO review (job, round, asked_at, staged, decide_by, remind_at, look_at)
VALUES (?1, 1 + coalesce((SELECT round FROM review WHERE job = ?1), 0), ?2, ?3, ?4, ?5, ?6)
