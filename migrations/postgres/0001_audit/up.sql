-- The audit log. Text is compared byte by byte (COLLATE "C"), so that both databases sort and match alike.

CREATE TABLE audit_records (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    day bigint NOT NULL,
    actor_kind text COLLATE "C" NOT NULL
        CHECK (actor_kind IN ('anonymous', 'user', 'component', 'command_line', 'system')),
    actor_id uuid,
    actor_name text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    resource_kind text COLLATE "C" CHECK (resource_kind IN ('user', 'session', 'component', 'key', 'endpoint')),
    resource_id uuid,
    resource_name text COLLATE "C",
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    client text COLLATE "C",
    request_id uuid,
    details text COLLATE "C" NOT NULL,
    search_text text COLLATE "C" NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

COMMENT ON TABLE audit_records IS 'Security events, chained by hash; append-only.';
COMMENT ON COLUMN audit_records.seq IS 'Position in the chain: from 1, without gaps.';
COMMENT ON COLUMN audit_records.day IS 'Days from 1970-01-01 to the UTC day of "at", for counts by day.';
COMMENT ON COLUMN audit_records.actor_name IS 'As it was at the time; survives the account.';
COMMENT ON COLUMN audit_records.resource_name IS 'As it was at the time; null exactly when resource_kind is.';
COMMENT ON COLUMN audit_records.client IS 'IP address.';
COMMENT ON COLUMN audit_records.details IS 'A JSON object of strings.';
COMMENT ON COLUMN audit_records.search_text IS 'Names and details in lower case, for the text filter. Not hashed.';
COMMENT ON COLUMN audit_records.hash IS 'SHA-256 over this record and the hash before it.';

CREATE INDEX audit_records_at ON audit_records (at);
CREATE INDEX audit_records_actor_name ON audit_records (actor_name, seq);
CREATE INDEX audit_records_resource_id ON audit_records (resource_id, seq);

CREATE TABLE audit_head (
    id integer PRIMARY KEY CHECK (id = 1),
    seq bigint NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

COMMENT ON TABLE audit_head IS 'The end of the chain, in one row. Whoever appends locks it first, so appends come one after another.';

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER audit_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
