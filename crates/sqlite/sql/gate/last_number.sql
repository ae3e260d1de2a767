-- The number of the last exclusive grant. Reads every row of fence: there is one.
SELECT number
FROM fence
