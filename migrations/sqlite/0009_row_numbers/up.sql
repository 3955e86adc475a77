-- Keys and sessions refer to their components and accounts by number, which is where SQLite keeps a row: to follow one is a
-- search less than to look an identifier up. The tag of a configuration stands beside what else is read with a key.
--
-- SQLite adds no primary key to a table that is there, so five tables are made anew. Foreign keys must not be enforced
-- meanwhile: they would delete whatever refers to a table that is dropped. What refers to what is checked at the end.

CREATE TEMPORARY TABLE enforcement (is_on INTEGER CONSTRAINT foreign_keys_must_be_off CHECK (is_on = 0));
INSERT INTO enforcement SELECT foreign_keys FROM pragma_foreign_keys;
DROP TABLE enforcement;

CREATE TABLE components_with_numbers (
    -- What keys refer to. No number is given twice, and none leaves the database.
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
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
    rotation_requested_at BIGINT,
    -- Keyed tag of the configuration, always written together with it; null when none is set.
    config_etag TEXT
);

INSERT INTO components_with_numbers (
    id, name, name_folded, hostname, kind, standing, key_prefix, key_created_at, last_seen_at, last_seen_ip, version,
    created_at, revoked_at, rotation_requested_at, config_etag
)
SELECT
    id, name, name_folded, hostname, kind, standing, key_prefix, key_created_at, last_seen_at, last_seen_ip, version,
    created_at, revoked_at, rotation_requested_at, etag
FROM components LEFT JOIN component_configs ON component_id = id;

DROP TABLE components;
ALTER TABLE components_with_numbers RENAME TO components;
CREATE INDEX components_hostname ON components (hostname);

CREATE TABLE component_configs_without_tags (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);

INSERT INTO component_configs_without_tags SELECT component_id, body FROM component_configs;
DROP TABLE component_configs;
ALTER TABLE component_configs_without_tags RENAME TO component_configs;

CREATE TABLE component_keys_by_number (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    component_number INTEGER NOT NULL REFERENCES components (number) ON DELETE CASCADE,
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

INSERT INTO component_keys_by_number
SELECT
    component_keys.id, components.number, digest, hash, state, grace_until, component_keys.created_at, first_used_at
FROM component_keys LEFT JOIN components ON components.id = component_id;

DROP TABLE component_keys;
ALTER TABLE component_keys_by_number RENAME TO component_keys;
CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_number) WHERE state = 'live';
CREATE INDEX component_keys_component_number ON component_keys (component_number);

CREATE TABLE accounts_with_numbers (
    -- What sessions refer to. No number is given twice, and none leaves the database.
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
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

INSERT INTO accounts_with_numbers (
    id, username, display_name, email, role, source, active, password, must_change_password, password_expires_at, built_in,
    created_at, last_sign_in_at
)
SELECT
    id, username, display_name, email, role, source, active, password, must_change_password, password_expires_at, built_in,
    created_at, last_sign_in_at
FROM accounts;

DROP TABLE accounts;
ALTER TABLE accounts_with_numbers RENAME TO accounts;

CREATE TABLE sessions_by_number (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_number INTEGER NOT NULL REFERENCES accounts (number) ON DELETE CASCADE,
    -- SHA-256 of the bearer token.
    token_digest BLOB NOT NULL UNIQUE CHECK (length(token_digest) = 32),
    -- SHA-256 of the cookie, which is another secret than the token.
    cookie_digest BLOB NOT NULL UNIQUE CHECK (length(cookie_digest) = 32),
    created_at BIGINT NOT NULL,
    -- Written in batches: may lag by a minute.
    last_seen_at BIGINT NOT NULL,
    -- End at the latest, however busy it is.
    expires_at BIGINT NOT NULL,
    -- Until when the bearer token has to be used first, together with the cookie; null when it need not be.
    confirm_by BIGINT,
    -- IP address it was opened from.
    client TEXT,
    user_agent TEXT NOT NULL
);

INSERT INTO sessions_by_number
SELECT
    sessions.id, accounts.number, token_digest, cookie_digest, sessions.created_at, last_seen_at, expires_at, confirm_by,
    client, user_agent
FROM sessions LEFT JOIN accounts ON accounts.id = user_id;

DROP TABLE sessions;
ALTER TABLE sessions_by_number RENAME TO sessions;
CREATE INDEX sessions_account_number ON sessions (account_number);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Other tables go on referring to identifiers, which are the primary key no more. Their text is all that this changes.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(
    replace(sql, 'REFERENCES components ON', 'REFERENCES components (id) ON'),
    'REFERENCES accounts ON', 'REFERENCES accounts (id) ON'
)
WHERE type = 'table';
PRAGMA writable_schema = RESET;

CREATE TEMPORARY TABLE dangling (number INTEGER CONSTRAINT no_row_refers_to_one_that_is_not_there CHECK (number = 0));
INSERT INTO dangling SELECT count(*) FROM pragma_foreign_key_check;
DROP TABLE dangling;
