-- The kinds of lanes.
--
--   $1  lanes  integer[]
--
-- Index: the primary key of lane. No row: there is no such lane.
SELECT id, kind
FROM windlass.lane
WHERE id = ANY ($1)
