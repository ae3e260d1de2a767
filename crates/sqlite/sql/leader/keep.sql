-- Keeps the newest leadership in the place of the one before.
--
--   ?1  holder       blob, 16 bytes
--   ?2  term         integer
--   ?3  lease_until  integer, microseconds
INSERT OR REPLACE INTO leader (only, holder, term, lease_until)
VALUES (1, ?1, ?2, ?3)
