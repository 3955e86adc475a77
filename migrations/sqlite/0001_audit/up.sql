-- The audit log. Times are microseconds since 1970-01-01T00:00:00Z, identifiers 16 bytes.

-- Security events, chained by hash; append-only.
CREATE TABLE audit_records (
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
    resource_kind TEXT CHECK (resource_kind IN ('user', 'session', 'component', 'key', 'endpoint')),
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

CREATE INDEX audit_records_at ON audit_records (at);
CREATE INDEX audit_records_actor_name ON audit_records (actor_name, seq);
CREATE INDEX audit_records_resource_id ON audit_records (resource_id, seq);

-- The end of the chain, in one row. Whoever appends locks it first, so appends come one after another.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL CHECK (seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
);

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, zeroblob(32));

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

CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'audit_head is append-only');
END;
