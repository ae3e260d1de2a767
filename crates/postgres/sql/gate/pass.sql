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
WHERE stand.ctid = ANY (ARRAY(
    SELECT found.spot
    FROM unnest($1, $2, $3, $4, $5) AS given (gate, priority, run_at, seq, exclusive)
    CROSS JOIN LATERAL (
        SELECT passed.ctid AS spot
        FROM windlass.stand AS passed
        WHERE passed.gate = given.gate AND passed.in_line AND (passed.amount = 1 OR given.exclusive)
            AND (passed.priority, passed.run_at, passed.seq) < (given.priority, given.run_at, given.seq)
        OFFSET 0
    ) AS found
))
