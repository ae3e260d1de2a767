-- Tokens of access, and who did what by hand.
CREATE TABLE token (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- SHA-256 of the secret, which is not kept.
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    name TEXT NOT NULL,
    -- Words, with spaces between.
    roles TEXT NOT NULL,
    -- Globs, with spaces between; NULL for all queues.
    queues TEXT,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER,
    used_at INTEGER
) STRICT;

CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    noun TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    why TEXT,
    -- The token, the address and the request, with spaces between, and - for what is not known.
    via TEXT
) STRICT;


-- What was done stays done.
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is never changed');
END;

CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is never changed');
END;
