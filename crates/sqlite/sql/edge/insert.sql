-- Lets one job wait for another.
--
--   ?1  child     integer, a seq
--   ?2  position  integer
--   ?3  parent    integer, a seq
--   ?4  policy    integer
INSERT INTO edge (child, position, parent, policy)
VALUES (?1, ?2, ?3, ?4)
