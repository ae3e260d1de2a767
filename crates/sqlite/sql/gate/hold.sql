-- Keeps what an attempt has of a gate.
--
--   ?1  gate       integer
--   ?2  seq        integer
--   ?3  exclusive  integer
--   ?4  since      integer, microseconds
INSERT INTO held (gate, seq, exclusive, since)
VALUES (?1, ?2, ?3, ?4)
