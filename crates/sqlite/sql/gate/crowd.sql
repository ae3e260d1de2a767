-- Whether a job is listed at a gate, and whether time is to open it. No row: there is no such gate.
--
--   ?1  gate  integer
--
-- Index: the rowid of gate, the primary key of stand.
SELECT EXISTS (SELECT 1 FROM stand WHERE stand.gate = gate.id), opens_at IS NOT NULL
FROM gate
WHERE id = ?1
