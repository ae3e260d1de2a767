-- The number of the next exclusive grant. Reads every row of fence: there is one.
UPDATE fence
SET number = number + 1
RETURNING number
