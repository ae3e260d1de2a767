-- Lets the commit wake the workers of all processes. Answers nothing.
--
-- Index: none, as it reads no table.
SELECT id
FROM windlass.wake() AS woken (id)
