CREATE TEMPORARY TABLE enforcement (is_on INTEGER CONSTRAINT foreign_keys_must_be_off CHECK (is_on = 0));
INSERT INTO enforcement SELECT foreign_keys FROM pragma_foreign_keys;
DROP TABLE enforcement;

PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(
    replace(sql, 'REFERENCES components (id) ON', 'REFERENCES components ON'),
    'REFERENCES accounts (id) ON', 'REFERENCES accounts ON'
)
WHERE type = 'table';
PRAGMA writable_schema = RESET;

CREATE TABLE sessions_by_identifier (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- SHA-256 of the bearer token.
    token_digest BLOB NOT NULL UNIQUE CHECK (length(token_digest) = 32),
    -- SHA-256 of the cookie, which is another secret than the token.
    cookie_digest BLOB NOT NULL UNIQUE CHECK (length(cookie_digest) = 32),
    created_at BIGINT NOT NULL,
    -- Written in batches: may lag by a minute.
    last_seen_at BIGINT NOT NULL,
    -- End at the latest, however busy it is.
    expires_at BIGINT NOT NULL,
    -- IP address it was opened from.
    client TEXT,
    user_agent TEXT NOT NULL,
    -- Until when the bearer token has to be used first, together with the cookie; null when it need not be.
    confirm_by BIGINT
);

INSERT INTO sessions_by_identifier
SELECT
    sessions.id, accounts.id, token_digest, cookie_digest, sessions.created_at, last_seen_at, expires_at, client, user_agent,
    confirm_by
FROM sessions LEFT JOIN accounts ON number = account_number;

DROP TABLE sessions;
ALTER TABLE sessions_by_identifier RENAME TO sessions;
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE accounts_without_numbers (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- Canonical: NFKC and case-folded before it comes here.
    username TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    -- For information; identifies nobody.
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- Who vouches for the account.
    source TEXT NOT NULL CHECK (source IN ('local', 'ldap', 'oidc')),
    active BOOLEAN NOT NULL CHECK (active IN (0, 1)),
    -- A bcrypt hash; with a prefix that names what was done to the password before bcrypt.
    password TEXT,
    must_change_password BOOLEAN NOT NULL CHECK (must_change_password IN (0, 1)),
    -- End of a one-time password; null for one that its owner chose.
    password_expires_at BIGINT,
    -- Came with the installation: cannot be deleted, turned off or given another role.
    built_in BOOLEAN NOT NULL CHECK (built_in IN (0, 1)),
    created_at BIGINT NOT NULL,
    last_sign_in_at BIGINT,
    CHECK (NOT built_in OR active)
);

INSERT INTO accounts_without_numbers
SELECT
    id, username, display_name, email, role, source, active, password, must_change_password, password_expires_at, built_in,
    created_at, last_sign_in_at
FROM accounts;

DROP TABLE accounts;
ALTER TABLE accounts_without_numbers RENAME TO accounts;

CREATE TABLE component_keys_by_identifier (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    component_id BLOB NOT NULL REFERENCES components ON DELETE CASCADE,
    -- SHA-256 of the key: what it is looked up by.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- bcrypt of the key, verified once, at its first use.
    hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'grace', 'rotated', 'revoked', 'corrupt')),
    -- When a replaced key dies at the latest; null: with the first use of its successor only.
    grace_until BIGINT CHECK (grace_until IS NULL OR state = 'grace'),
    created_at BIGINT NOT NULL,
    first_used_at BIGINT
);

INSERT INTO component_keys_by_identifier
SELECT
    component_keys.id, components.id, digest, hash, state, grace_until, component_keys.created_at, first_used_at
FROM component_keys LEFT JOIN components ON number = component_number;

DROP TABLE component_keys;
ALTER TABLE component_keys_by_identifier RENAME TO component_keys;
CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_id) WHERE state = 'live';
CREATE INDEX component_keys_component_id ON component_keys (component_id);

CREATE TABLE component_configs_with_tags (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    body TEXT NOT NULL,
    -- Keyed tag of the body, always written together with it.
    etag TEXT NOT NULL
);

INSERT INTO component_configs_with_tags
SELECT component_id, body, config_etag FROM component_configs LEFT JOIN components ON id = component_id;

DROP TABLE component_configs;
ALTER TABLE component_configs_with_tags RENAME TO component_configs;

CREATE TABLE components_without_numbers (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    -- The name in lower case, for the text filter.
    name_folded TEXT NOT NULL,
    -- In lower case.
    hostname TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'collector')),
    -- What administrators decided. That a component is offline is worked out from last_seen_at.
    standing TEXT NOT NULL CHECK (standing IN ('pending', 'active', 'revoked')),
    -- Start of the live key; of the last one when the component is revoked.
    key_prefix TEXT NOT NULL CHECK (length(key_prefix) = 12),
    key_created_at BIGINT NOT NULL,
    -- Written in batches: may lag by some seconds.
    last_seen_at BIGINT,
    last_seen_ip TEXT,
    version TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    -- Since when the component has been asked to rotate its key; null when it is not.
    rotation_requested_at BIGINT
);

INSERT INTO components_without_numbers
SELECT
    id, name, name_folded, hostname, kind, standing, key_prefix, key_created_at, last_seen_at, last_seen_ip, version,
    created_at, revoked_at, rotation_requested_at
FROM components;

DROP TABLE components;
ALTER TABLE components_without_numbers RENAME TO components;
CREATE INDEX components_hostname ON components (hostname);
