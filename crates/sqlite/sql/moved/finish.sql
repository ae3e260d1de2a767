-- Says that all jobs are at the new address. Reads every row; there is one at the most.
UPDATE moved
SET done = 1
