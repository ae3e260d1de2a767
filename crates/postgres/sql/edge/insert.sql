-- Lets jobs wait for others.
--
--   $1  children   uuid[]
--   $2  positions  integer[]
--   $3  parents    uuid[]
--   $4  policies   smallint[]
--
-- No row: none was given.
INSERT INTO windlass.edge (child, position, parent, policy)
SELECT *
FROM unnest($1, $2, $3, $4)
RETURNING child
