-- The time by the server's clock. No row: never.
SELECT statement_timestamp()
