-- Tokens of access, and who did what by hand.
CREATE TABLE windlass.token (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    -- SHA-256 of the secret, which is not kept.
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    name text NOT NULL,
    -- Words, with spaces between.
    roles text NOT NULL,
    -- Globs, with spaces between; NULL for all queues.
    queues text,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    revoked_at timestamptz,
    used_at timestamptz
);

CREATE UNIQUE INDEX token_name ON windlass.token (name) WHERE revoked_at IS NULL;

CREATE TABLE windlass.audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    verb text NOT NULL,
    noun text NOT NULL,
    subject text NOT NULL,
    actor text NOT NULL,
    why text,
    -- The token, the address and the request, with spaces between, and - for what is not known.
    via text
);

-- What was done stays done, also for those who own the table.
CREATE FUNCTION windlass.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is never changed';
END
$$;

CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON windlass.audit
FOR EACH STATEMENT EXECUTE FUNCTION windlass.refuse_change();
