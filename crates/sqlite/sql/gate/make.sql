-- Makes a gate known that is not.
--
--   ?1  form  integer
--   ?2  name  text
INSERT INTO gate (form, name)
VALUES (?1, ?2)
