-- How many operations have not ended.
--
-- Index: operation_ended.
SELECT count(*)
FROM operation
WHERE ended_at IS NULL
