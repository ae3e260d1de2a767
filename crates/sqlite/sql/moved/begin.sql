-- Keeps where the jobs are being moved to, unless that is known already.
--
--   ?1  address  text
INSERT INTO moved (one, address, done)
VALUES (1, ?1, 0)
ON CONFLICT (one) DO NOTHING
