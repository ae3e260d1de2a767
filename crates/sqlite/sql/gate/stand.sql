-- Lists a job at a gate.
--
--   ?1  gate      integer
--   ?2  priority  integer
--   ?3  run_at    integer, microseconds
--   ?4  seq       integer
--   ?5  lane      integer
--   ?6  amount    integer
--   ?7  burst     integer
--   ?8  here      integer
--   ?9  in_line   integer
INSERT INTO stand (gate, priority, run_at, seq, lane, amount, burst, here, in_line)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
