-- The newest leadership. Reads every one; there is one. No row: nobody has ever led.
SELECT holder, term, lease_until
FROM leader
