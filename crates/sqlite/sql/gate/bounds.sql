-- Every queue and kind that is bounded; there are few. Reads every bound.
SELECT form, name, most, starts, per, burst
FROM bound
ORDER BY form, name
