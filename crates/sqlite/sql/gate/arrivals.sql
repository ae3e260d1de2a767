-- How far the starts of each rate have come, in the order of the gates, a page at a time.
--
--   ?1  form   integer; 0 for the first page
--   ?2  name   text
--   ?3  limit  integer
--
-- Index: that of the unique form and name. No row: there are no more.
SELECT form, name, arrival
FROM gate
WHERE arrival IS NOT NULL AND (form, name) > (?1, ?2)
ORDER BY form, name
LIMIT ?3
