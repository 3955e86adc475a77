-- Who may sign in, who is signed in, and how often whoever tried.

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    username text COLLATE "C" NOT NULL CONSTRAINT accounts_username_unique UNIQUE,
    display_name text COLLATE "C" NOT NULL,
    email text COLLATE "C",
    role text COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    source text COLLATE "C" NOT NULL CHECK (source IN ('local', 'ldap', 'oidc')),
    active boolean NOT NULL,
    password text COLLATE "C",
    must_change_password boolean NOT NULL,
    password_expires_at timestamptz,
    built_in boolean NOT NULL,
    created_at timestamptz NOT NULL,
    last_sign_in_at timestamptz,
    CHECK (NOT built_in OR active)
);

COMMENT ON TABLE accounts IS 'People who may sign in.';
COMMENT ON COLUMN accounts.username IS 'Canonical: NFKC and case-folded before it comes here.';
COMMENT ON COLUMN accounts.email IS 'For information; identifies nobody.';
COMMENT ON COLUMN accounts.source IS 'Who vouches for the account.';
COMMENT ON COLUMN accounts.password IS 'A bcrypt hash; with a prefix that names what was done to the password before bcrypt.';
COMMENT ON COLUMN accounts.password_expires_at IS 'End of a one-time password; null for one that its owner chose.';
COMMENT ON COLUMN accounts.built_in IS 'Came with the installation: cannot be deleted, turned off or given another role.';

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    token_digest bytea NOT NULL CONSTRAINT sessions_token_unique UNIQUE CHECK (octet_length(token_digest) = 32),
    cookie_digest bytea NOT NULL CONSTRAINT sessions_cookie_unique UNIQUE CHECK (octet_length(cookie_digest) = 32),
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    client text COLLATE "C",
    user_agent text COLLATE "C" NOT NULL
);

COMMENT ON TABLE sessions IS 'Open sessions. A session that is ended is deleted.';
COMMENT ON COLUMN sessions.token_digest IS 'SHA-256 of the bearer token.';
COMMENT ON COLUMN sessions.cookie_digest IS 'SHA-256 of the cookie, which is another secret than the token.';
COMMENT ON COLUMN sessions.last_seen_at IS 'Written in batches: may lag by a minute.';
COMMENT ON COLUMN sessions.expires_at IS 'End at the latest, however busy it is.';
COMMENT ON COLUMN sessions.client IS 'IP address it was opened from.';

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE brakes (
    username text COLLATE "C" NOT NULL,
    device uuid NOT NULL,
    failures integer NOT NULL CHECK (failures >= 0),
    last_failure_at timestamptz,
    PRIMARY KEY (username, device)
);

COMMENT ON TABLE brakes IS 'Consecutive failures to sign in, by the name that was tried, whether or not there is such an account.';
COMMENT ON COLUMN brakes.device IS 'A device that has signed in before; the nil UUID for all others together.';

CREATE INDEX brakes_last_failure_at ON brakes (last_failure_at);

CREATE TABLE rate_windows (
    quota text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    hits bytea NOT NULL CHECK (octet_length(hits) % 8 = 0),
    last_hit_at timestamptz NOT NULL,
    PRIMARY KEY (quota, client)
);

COMMENT ON TABLE rate_windows IS 'The requests that a sliding window has admitted, by quota and client.';
COMMENT ON COLUMN rate_windows.client IS 'IPv4 address or IPv6 /64.';
COMMENT ON COLUMN rate_windows.hits IS 'Times in microseconds since 1970-01-01T00:00:00Z, 8 bytes each, big-endian, the oldest first.';
COMMENT ON COLUMN rate_windows.last_hit_at IS 'The newest of the hits, for purging.';

CREATE INDEX rate_windows_last_hit_at ON rate_windows (last_hit_at);
