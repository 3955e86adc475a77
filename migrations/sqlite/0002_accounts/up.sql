-- Who may sign in, who is signed in, and how often whoever tried.

-- People who may sign in.
CREATE TABLE accounts (
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

-- Open sessions. A session that is ended is deleted.
CREATE TABLE sessions (
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
    user_agent TEXT NOT NULL
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Consecutive failures to sign in, by the name that was tried, whether or not there is such an account.
CREATE TABLE brakes (
    username TEXT NOT NULL,
    -- A device that has signed in before; the nil UUID for all others together.
    device BLOB NOT NULL CHECK (length(device) = 16),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    last_failure_at BIGINT,
    PRIMARY KEY (username, device)
) WITHOUT ROWID;

CREATE INDEX brakes_last_failure_at ON brakes (last_failure_at);

-- The requests that a sliding window has admitted, by quota and client.
CREATE TABLE rate_windows (
    quota TEXT NOT NULL,
    -- IPv4 address or IPv6 /64.
    client TEXT NOT NULL,
    -- Times in microseconds since 1970-01-01T00:00:00Z, 8 bytes each, big-endian, the oldest first.
    hits BLOB NOT NULL CHECK (length(hits) % 8 = 0),
    -- The newest of the hits, for purging.
    last_hit_at BIGINT NOT NULL,
    PRIMARY KEY (quota, client)
) WITHOUT ROWID;

CREATE INDEX rate_windows_last_hit_at ON rate_windows (last_hit_at);
