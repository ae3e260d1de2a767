-- Lets the numbers of exclusive grants go on after one that was given out elsewhere. They never go back.
--
--   $1  last  bigint
--
-- Index: none; it reads a sequence.
SELECT setval('windlass.fence'::regclass, greatest($1, last_value), true)
FROM windlass.fence
WHERE $1 > 0
