-- Signing in through OpenID Connect providers.

CREATE TABLE oidc_providers (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    enabled BOOLEAN NOT NULL CHECK (enabled IN (0, 1)),
    -- How the provider is spoken to and whom it lets in, as JSON.
    settings TEXT NOT NULL,
    -- The client secret, sealed under a key that is not in the database.
    secret BLOB,
    created_at BIGINT NOT NULL
);

-- Sign-ins that were started and have not returned. Each is used once.
CREATE TABLE oidc_transactions (
    -- SHA-256 of the state.
    state BLOB NOT NULL PRIMARY KEY CHECK (length(state) = 32),
    provider_id BLOB NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    -- SHA-256 of the cookie of the browser that started it.
    binding BLOB NOT NULL CHECK (length(binding) = 32),
    -- The nonce and the PKCE verifier, sealed.
    secrets BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX oidc_transactions_created_at ON oidc_transactions (created_at);

-- Whose account an identity at a provider is. Nothing else identifies anybody.
CREATE TABLE oidc_identities (
    provider_id BLOB NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- The mail address in lower case, where the word of this provider about it counts.
    verified_email TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider_id, issuer, subject)
);

CREATE INDEX oidc_identities_verified_email ON oidc_identities (verified_email);
CREATE INDEX oidc_identities_account_id ON oidc_identities (account_id);

-- Sessions that a provider may end.
CREATE TABLE oidc_sessions (
    session_id BLOB NOT NULL PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    provider_id BLOB NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    subject TEXT NOT NULL,
    -- What the provider calls its own session.
    sid TEXT
);

CREATE INDEX oidc_sessions_subject ON oidc_sessions (provider_id, subject);
CREATE INDEX oidc_sessions_sid ON oidc_sessions (provider_id, sid);

-- What happened at each sign-in through a provider, step by step, for administrators.
CREATE TABLE oidc_attempts (
    reference TEXT NOT NULL PRIMARY KEY,
    -- The provider, which may be gone.
    provider_id BLOB,
    provider_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    client TEXT,
    -- How it ended: signed_in, or what the sign-in page said.
    code TEXT NOT NULL,
    username TEXT,
    -- The steps as JSON. No secret, and nothing that the provider wrote.
    steps TEXT NOT NULL
);

CREATE INDEX oidc_attempts_at ON oidc_attempts (at);

-- Until when the bearer token has to be used first, together with the cookie; null when it need not be.
ALTER TABLE sessions ADD COLUMN confirm_by BIGINT;

-- The audit log, with one more kind of resource: SQLite changes no constraint of a table that is there.
CREATE TABLE audit_records_with_providers (
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
    resource_kind TEXT CHECK (resource_kind IN ('user', 'session', 'component', 'key', 'provider', 'endpoint')),
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

INSERT INTO audit_records_with_providers SELECT * FROM audit_records;
DROP TABLE audit_records;
ALTER TABLE audit_records_with_providers RENAME TO audit_records;

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
