-- Every lane. Reads every one; there are few.
SELECT id, queue, kind, version
FROM windlass.lane
