-- Signing in through OpenID Connect providers.

CREATE TABLE oidc_providers (
    id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    enabled boolean NOT NULL,
    settings text NOT NULL,
    secret bytea,
    created_at timestamptz NOT NULL
);

COMMENT ON COLUMN oidc_providers.settings IS 'How the provider is spoken to and whom it lets in, as JSON.';
COMMENT ON COLUMN oidc_providers.secret IS 'The client secret, sealed under a key that is not in the database.';

CREATE TABLE oidc_transactions (
    state bytea PRIMARY KEY CHECK (length(state) = 32),
    provider_id uuid NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    binding bytea NOT NULL CHECK (length(binding) = 32),
    secrets bytea NOT NULL,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE oidc_transactions IS 'Sign-ins that were started and have not returned. Each is used once.';
COMMENT ON COLUMN oidc_transactions.state IS 'SHA-256 of the state.';
COMMENT ON COLUMN oidc_transactions.binding IS 'SHA-256 of the cookie of the browser that started it.';
COMMENT ON COLUMN oidc_transactions.secrets IS 'The nonce and the PKCE verifier, sealed.';

CREATE INDEX oidc_transactions_created_at ON oidc_transactions (created_at);

CREATE TABLE oidc_identities (
    provider_id uuid NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    verified_email text COLLATE "C",
    created_at timestamptz NOT NULL,
    PRIMARY KEY (provider_id, issuer, subject)
);

COMMENT ON TABLE oidc_identities IS 'Whose account an identity at a provider is. Nothing else identifies anybody.';

COMMENT ON COLUMN oidc_identities.verified_email IS 'The mail address in lower case, where the word of this provider about it counts.';

CREATE INDEX oidc_identities_verified_email ON oidc_identities (verified_email);
CREATE INDEX oidc_identities_account_id ON oidc_identities (account_id);

CREATE TABLE oidc_sessions (
    session_id uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    provider_id uuid NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
    subject text COLLATE "C" NOT NULL,
    sid text COLLATE "C"
);

COMMENT ON TABLE oidc_sessions IS 'Sessions that a provider may end.';
COMMENT ON COLUMN oidc_sessions.sid IS 'What the provider calls its own session.';

CREATE INDEX oidc_sessions_subject ON oidc_sessions (provider_id, subject);
CREATE INDEX oidc_sessions_sid ON oidc_sessions (provider_id, sid);

CREATE TABLE oidc_attempts (
    reference text COLLATE "C" PRIMARY KEY,
    provider_id uuid,
    provider_name text NOT NULL,
    at timestamptz NOT NULL,
    client text,
    code text NOT NULL,
    username text,
    steps text NOT NULL
);

COMMENT ON TABLE oidc_attempts IS 'What happened at each sign-in through a provider, step by step, for administrators.';
COMMENT ON COLUMN oidc_attempts.provider_id IS 'The provider, which may be gone.';
COMMENT ON COLUMN oidc_attempts.code IS 'How it ended: signed_in, or what the sign-in page said.';
COMMENT ON COLUMN oidc_attempts.steps IS 'The steps as JSON. No secret, and nothing that the provider wrote.';

CREATE INDEX oidc_attempts_at ON oidc_attempts (at);

ALTER TABLE sessions ADD COLUMN confirm_by timestamptz;

COMMENT ON COLUMN sessions.confirm_by IS 'Until when the bearer token has to be used first, together with the cookie; null when it need not be.';

ALTER TABLE audit_records DROP CONSTRAINT audit_records_resource_kind_check;
ALTER TABLE audit_records ADD CONSTRAINT audit_records_resource_kind_check
    CHECK (resource_kind IN ('user', 'session', 'component', 'key', 'provider', 'endpoint'));

ALTER TABLE invalidations DROP CONSTRAINT invalidations_subject_kind_check;
ALTER TABLE invalidations ADD CONSTRAINT invalidations_subject_kind_check
    CHECK (subject_kind IN ('component', 'user', 'all'));
