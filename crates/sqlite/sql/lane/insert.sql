-- Gives a queue, kind and version their number.
--
--   ?1  queue    text
--   ?2  kind     text
--   ?3  version  integer
INSERT INTO lane (queue, kind, version)
VALUES (?1, ?2, ?3)
