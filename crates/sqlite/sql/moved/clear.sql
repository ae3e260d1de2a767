-- Says that the jobs are here after all. Reads every row; there is one at the most.
DELETE FROM moved
