-- What the program is for.
CREATE TABLE IF NOT EXISTS country (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS zone (
    name      TEXT PRIMARY KEY,
    countries TEXT NOT NULL, -- their codes, separated by commas
    place     TEXT NOT NULL, -- latitude and longitude as in ISO 6709
    comments  TEXT NOT NULL
) STRICT;

-- What waits for a decision: an import, and its rows. Nobody reads them but who publishes them.
CREATE TABLE IF NOT EXISTS staging (
    job     TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL, -- which attempt of the job staged it
    "table" TEXT NOT NULL,
    base    INTEGER NOT NULL  -- the publication of the table that it was compared with, 0 if there was none
) STRICT;

CREATE TABLE IF NOT EXISTS staged_row (
    job     TEXT NOT NULL REFERENCES staging (job) ON DELETE CASCADE,
    columns TEXT NOT NULL, -- an array in JSON
    PRIMARY KEY (job, columns)
) STRICT, WITHOUT ROWID;

-- Which import made a table what it is. That no import is published twice is a constraint.
CREATE TABLE IF NOT EXISTS publication (
    number      INTEGER PRIMARY KEY,
    "table"     TEXT NOT NULL,
    job         TEXT NOT NULL UNIQUE,
    accepted_by TEXT
) STRICT;
