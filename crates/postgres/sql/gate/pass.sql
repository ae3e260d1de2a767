-- Takes those out of line who are passed by ones that come later, and could not have it beside them. No row changed: nobody is.
--
--   $1  gates       bigint[]
--   $2  priorities  smallint[]
--   $3  run_at      timestamptz[]
--   $4  seqs        bigint[]
--   $5  exclusive   boolean[], whether the one that passes wants it alone
--
-- Index: stand_line.
UPDATE windlass.stand
SET in_line = false
FROM unnest($1, $2, $3, $4, $5) AS given (gate, priority, run_at, seq, exclusive)
WHERE stand.gate = given.gate AND stand.in_line AND (stand.amount = 1 OR given.exclusive)
    AND (stand.priority, stand.run_at, stand.seq) < (given.priority, given.run_at, given.seq)
