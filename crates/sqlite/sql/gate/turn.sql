-- The first job of an order key that is not final. No row: there is none.
--
--   ?1  order_key  text
--
-- Index: job_turn.
SELECT seq, id
FROM job INDEXED BY job_turn
WHERE order_key = ?1 AND order_key IS NOT NULL AND stage < 5
ORDER BY seq
LIMIT 1
