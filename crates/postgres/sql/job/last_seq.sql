-- The last place in the enqueue order that was given away; zero if none was.
--
-- Reads every sequence by its name alone.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END
FROM windlass.job_seq_seq
