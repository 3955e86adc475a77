-- Components, the keys they come in with, and the configuration that they pull.

-- Programs that report to the server.
CREATE TABLE components (
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
    revoked_at BIGINT
);

-- Keys, never in clear. Ended keys stay, so that their holders learn why they are refused.
CREATE TABLE component_keys (
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

CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_id) WHERE state = 'live';
CREATE INDEX component_keys_component_id ON component_keys (component_id);

-- The configuration that a component pulls.
CREATE TABLE component_configs (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    body TEXT NOT NULL,
    -- Keyed tag of the body, always written together with it.
    etag TEXT NOT NULL
);

-- What each component last said about applying its configuration.
CREATE TABLE component_reports (
    component_id BLOB NOT NULL PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    -- The component's own name for the configuration it speaks of.
    config_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('applied', 'validation_error', 'rolled_back')),
    message TEXT NOT NULL,
    at BIGINT NOT NULL
);
