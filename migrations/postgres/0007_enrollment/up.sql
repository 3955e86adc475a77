-- How components come in by themselves.

CREATE TABLE enrollment_tokens (
    id uuid PRIMARY KEY,
    digest bytea NOT NULL CONSTRAINT enrollment_tokens_digest_unique UNIQUE CHECK (octet_length(digest) = 32),
    description text COLLATE "C" NOT NULL,
    multi_use boolean NOT NULL,
    max_uses integer CHECK (max_uses > 0 AND (multi_use OR max_uses = 1)),
    uses integer NOT NULL CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    CHECK (multi_use OR max_uses IS NOT NULL)
);

COMMENT ON TABLE enrollment_tokens IS 'What components register with, never in clear.';
COMMENT ON COLUMN enrollment_tokens.digest IS 'SHA-256 of the token: what it is looked up by.';
COMMENT ON COLUMN enrollment_tokens.max_uses IS 'Null: any number, which only a token of many uses may have.';
COMMENT ON COLUMN enrollment_tokens.expires_at IS 'Null: without an end.';

CREATE INDEX enrollment_tokens_created_at ON enrollment_tokens (created_at, id);

CREATE TABLE enrollments (
    component_id uuid PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    token_id uuid NOT NULL,
    repeat_digest bytea NOT NULL CHECK (octet_length(repeat_digest) = 32),
    key_id uuid NOT NULL,
    was_new boolean NOT NULL,
    at timestamptz NOT NULL
);

COMMENT ON TABLE enrollments IS 'The key that each component was last given with an idempotency key, so that a client that was interrupted is answered again.';
COMMENT ON COLUMN enrollments.token_id IS 'The token, which may be gone.';
COMMENT ON COLUMN enrollments.repeat_digest IS 'SHA-256 of the idempotency key.';

CREATE TABLE enrollment_requests (
    component_id uuid PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    token_id uuid NOT NULL,
    repeat_digest bytea CHECK (octet_length(repeat_digest) = 32),
    client text COLLATE "C",
    version text COLLATE "C" NOT NULL,
    requested_at timestamptz NOT NULL,
    approved_at timestamptz
);

COMMENT ON TABLE enrollment_requests IS 'Who asks for the place of a component and waits for an administrator.';
COMMENT ON COLUMN enrollment_requests.token_id IS 'The token, which may be gone.';
COMMENT ON COLUMN enrollment_requests.repeat_digest IS 'SHA-256 of the idempotency key of the call, if it had one.';

CREATE INDEX enrollment_requests_requested_at ON enrollment_requests (requested_at, component_id);
-- A call to register looks for its host.
CREATE INDEX components_hostname ON components (hostname);

-- The program writes none but the kinds that it knows, and refuses to read others. On SQLite such a list would have the whole
-- log copied for each new kind; both databases check the same.
ALTER TABLE audit_records DROP CONSTRAINT audit_records_resource_kind_check;
