-- Lets the rest of the transaction run as a role.
--
--   $1  role  text
SELECT set_config('role', $1, true)
