-- How components come in by themselves.

-- Enrollment tokens, never in clear.
CREATE TABLE enrollment_tokens (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- SHA-256 of the token: what it is looked up by.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    description TEXT NOT NULL,
    multi_use BOOLEAN NOT NULL CHECK (multi_use IN (0, 1)),
    -- Null: any number, which only a token of many uses may have.
    max_uses INTEGER CHECK (max_uses > 0 AND (multi_use OR max_uses = 1)),
    uses INTEGER NOT NULL CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
    created_at BIGINT NOT NULL,
    -- Null: without an end.
    expires_at BIGINT,
    last_used_at BIGINT,
    CHECK (multi_use OR max_uses IS NOT NULL)
);

CREATE INDEX enrollment_tokens_created_at ON enrollment_tokens (created_at, id);

-- The key that each component was last given with an idempotency key, so that a client that was interrupted is answered again.
CREATE TABLE enrollments (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    -- The token, which may be gone.
    token_id BLOB NOT NULL,
    -- SHA-256 of the idempotency key.
    repeat_digest BLOB NOT NULL CHECK (length(repeat_digest) = 32),
    key_id BLOB NOT NULL,
    was_new BOOLEAN NOT NULL CHECK (was_new IN (0, 1)),
    at BIGINT NOT NULL
);

-- Who asks for the place of a component and waits for an administrator.
CREATE TABLE enrollment_requests (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    -- The token, which may be gone.
    token_id BLOB NOT NULL,
    -- SHA-256 of the idempotency key of the call, if it had one.
    repeat_digest BLOB CHECK (length(repeat_digest) = 32),
    client TEXT,
    version TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    approved_at BIGINT
);

CREATE INDEX enrollment_requests_requested_at ON enrollment_requests (requested_at, component_id);
-- A call to register looks for its host.
CREATE INDEX components_hostname ON components (hostname);

-- The audit log without a list of the kinds of resources: SQLite changes no constraint of a table that is there, so that each
-- new kind would have this whole log copied. The program writes none but those that it knows, and refuses to read others.
CREATE TABLE audit_records_of_any_kind (
    -- Position in the chain: from 1, without gaps.
    seq BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    at BIGINT NOT NULL,
    -- Days from 1970-01-01 to the UTC day of "at", for counts by day.
    day BIGINT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('anonymous', 'user', 'component', 'command_line', 'system')),
    actor_id BLOB,
    -- As it was at the time; survives the account.
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_kind TEXT,
    resource_id BLOB,
    -- As it was at the time; null exactly when resource_kind is.
    resource_name TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    -- IP address.
    client TEXT,
    request_id BLOB,
    -- A JSON object of strings.
    details TEXT NOT NULL,
    -- Names and details in lower case, for the text filter. Not hashed.
    search_text TEXT NOT NULL,
    -- SHA-256 over this record and the hash before it.
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) WITHOUT ROWID;

INSERT INTO audit_records_of_any_kind SELECT * FROM audit_records;
DROP TABLE audit_records;
ALTER TABLE audit_records_of_any_kind RENAME TO audit_records;

CREATE INDEX audit_records_at ON audit_records (at);
CREATE INDEX audit_records_actor_name ON audit_records (actor_name, seq);
CREATE INDEX audit_records_resource_id ON audit_records (resource_id, seq);

CREATE TRIGGER audit_records_no_update BEFORE UPDATE ON audit_records
BEGIN
    SELECT RAISE(ABORT, 'audit_records is append-only');
END;

CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
BEGIN
    SELECT RAISE(ABORT, 'audit_records is append-only');
END;

-- INSERT OR REPLACE deletes the row that it replaces without firing the trigger above.
CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'audit_records is append-only');
END;
