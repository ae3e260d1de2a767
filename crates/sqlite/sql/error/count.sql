-- Counts an error of an attempt that has just ended.
--
--   ?1  fingerprint  integer
--   ?2  kind         text
--   ?3  class        text; NULL for none
--   ?4  message      text, what the messages of its group have in common
--   ?5  now          integer, microseconds
--   ?6  job          blob
INSERT INTO error_group (fingerprint, kind, class, message, count, first_at, last_at, example)
VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6)
ON CONFLICT (fingerprint) DO UPDATE
SET count = count + 1, last_at = excluded.last_at, example = excluded.example
