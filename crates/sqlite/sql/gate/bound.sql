-- Bounds a queue or a kind.
--
--   ?1  form    integer
--   ?2  name    text
--   ?3  most    integer; NULL for no limit
--   ?4  starts  integer; NULL for no rate
--   ?5  per     integer, microseconds
--   ?6  burst   integer
INSERT OR REPLACE INTO bound (form, name, most, starts, per, burst)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
