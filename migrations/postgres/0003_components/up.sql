-- Components, the keys they come in with, and the configuration that they pull.

CREATE TABLE components (
    id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT components_name_unique UNIQUE,
    name_folded text COLLATE "C" NOT NULL,
    hostname text COLLATE "C",
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('agent', 'collector')),
    standing text COLLATE "C" NOT NULL CHECK (standing IN ('pending', 'active', 'revoked')),
    key_prefix text COLLATE "C" NOT NULL CHECK (length(key_prefix) = 12),
    key_created_at timestamptz NOT NULL,
    last_seen_at timestamptz,
    last_seen_ip text COLLATE "C",
    version text COLLATE "C",
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

COMMENT ON TABLE components IS 'Programs that report to the server.';
COMMENT ON COLUMN components.name_folded IS 'The name in lower case, for the text filter.';
COMMENT ON COLUMN components.hostname IS 'In lower case.';
COMMENT ON COLUMN components.standing IS 'What administrators decided. That a component is offline is worked out from last_seen_at.';
COMMENT ON COLUMN components.key_prefix IS 'Start of the live key; of the last one when the component is revoked.';
COMMENT ON COLUMN components.last_seen_at IS 'Written in batches: may lag by some seconds.';

CREATE TABLE component_keys (
    id uuid PRIMARY KEY,
    component_id uuid NOT NULL REFERENCES components ON DELETE CASCADE,
    digest bytea NOT NULL CONSTRAINT component_keys_digest_unique UNIQUE CHECK (octet_length(digest) = 32),
    hash text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('live', 'grace', 'rotated', 'revoked', 'corrupt')),
    grace_until timestamptz CHECK (grace_until IS NULL OR state = 'grace'),
    created_at timestamptz NOT NULL,
    first_used_at timestamptz
);

COMMENT ON TABLE component_keys IS 'Keys, never in clear. Ended keys stay, so that their holders learn why they are refused.';
COMMENT ON COLUMN component_keys.digest IS 'SHA-256 of the key: what it is looked up by.';
COMMENT ON COLUMN component_keys.hash IS 'bcrypt of the key, verified once, at its first use.';
COMMENT ON COLUMN component_keys.grace_until IS 'When a replaced key dies at the latest; null: with the first use of its successor only.';

CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_id) WHERE state = 'live';
CREATE INDEX component_keys_component_id ON component_keys (component_id);

CREATE TABLE component_configs (
    component_id uuid PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    body text COLLATE "C" NOT NULL,
    etag text COLLATE "C" NOT NULL
);

COMMENT ON TABLE component_configs IS 'The configuration that a component pulls.';
COMMENT ON COLUMN component_configs.etag IS 'Keyed tag of the body, always written together with it.';

CREATE TABLE component_reports (
    component_id uuid PRIMARY KEY REFERENCES components ON DELETE CASCADE,
    config_hash text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('applied', 'validation_error', 'rolled_back')),
    message text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);

COMMENT ON TABLE component_reports IS 'What each component last said about applying its configuration.';
COMMENT ON COLUMN component_reports.config_hash IS 'The component''s own name for the configuration it speaks of.';
