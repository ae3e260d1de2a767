-- Keeps the end of leases of their own.
--
--   ?1  seqs   array of integers
--   ?2  until  integer, microseconds
INSERT OR REPLACE INTO lease (seq, until)
SELECT value, ?2
FROM rarray(?1)
