-- Keeps for ever who did what.
--
--   ?1  at       integer, microseconds
--   ?2  verb     text
--   ?3  noun     text
--   ?4  subject  text
--   ?5  actor    text
--   ?6  why      text; NULL if not said
--   ?7  via      text; NULL if not known
--   ?8  change   text, JSON; NULL where it is not told
INSERT INTO audit (at, verb, noun, subject, actor, why, via, change)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
