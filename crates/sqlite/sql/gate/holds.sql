-- The gates of which a job's attempt has something.
--
--   ?1  seq  integer
--
-- Index: held_seq.
SELECT held.gate, gate.form
FROM held
JOIN gate ON gate.id = held.gate
WHERE held.seq = ?1
ORDER BY held.gate
