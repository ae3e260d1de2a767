-- Every lane. Reads every one; there are few.
SELECT id, queue, kind, version, gated
FROM windlass.lane
