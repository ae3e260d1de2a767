-- Lists jobs at gates.
--
--   $1  gates       bigint[]
--   $2  jobs        uuid[]
--   $3  lanes       integer[]
--   $4  priorities  smallint[]
--   $5  run_at      timestamptz[]
--   $6  seqs        bigint[]
--   $7  amounts     bigint[]
--   $8  bursts      bigint[]
--   $9  here        boolean[]
--   $10 in_line     boolean[]
INSERT INTO windlass.stand (gate, job, lane, priority, run_at, seq, amount, burst, here, in_line)
SELECT *
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
