-- Where the jobs of this file were moved to, or are being moved to: at most one row. While it is there, nothing of the
-- jobs may change here; what holds that is made with it (`sql/moved`), so that all other files pay nothing for it.
CREATE TABLE moved (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The new address, without secrets.
    address TEXT NOT NULL,
    -- Whether all of them are there.
    done INTEGER NOT NULL CHECK (done IN (0, 1))
) STRICT;
