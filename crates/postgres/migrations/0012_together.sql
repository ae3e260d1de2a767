-- What a statement asks of itself once it has done what it was to do.
-- Compatible from: 10.

-- Undoes a statement that has not found everything as it was when it looked; the same is tried again.
CREATE FUNCTION windlass.unchanged(boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT $1 THEN
        RAISE EXCEPTION 'others have changed what this is about' USING ERRCODE = '40001';
    END IF;
    RETURN true;
END
$$;
