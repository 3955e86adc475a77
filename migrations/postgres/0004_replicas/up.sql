-- How several servers on one database tell each other what may no longer be trusted. An SQLite database has one server.

CREATE TABLE replicas (
    id uuid PRIMARY KEY,
    renewals bigint NOT NULL CHECK (renewals >= 0),
    acknowledged bigint NOT NULL CHECK (acknowledged >= 0),
    lease_ms bigint NOT NULL CHECK (lease_ms > 0)
);

COMMENT ON TABLE replicas IS 'Servers that may hold credentials in memory. A row is new at every registration.';
COMMENT ON COLUMN replicas.renewals IS 'How often the server has renewed its lease: one that no longer does is dead.';
COMMENT ON COLUMN replicas.acknowledged IS 'Up to which invalidation the server has heard.';
COMMENT ON COLUMN replicas.lease_ms IS 'How long each of its leases lasts, in milliseconds.';

CREATE TABLE invalidations (
    seq bigint PRIMARY KEY,
    subject_kind text COLLATE "C" NOT NULL CHECK (subject_kind IN ('component', 'user')),
    subject uuid NOT NULL
);

COMMENT ON TABLE invalidations IS 'Changes of which some server may not have heard.';
COMMENT ON COLUMN invalidations.seq IS 'Position of the change in the audit log, which becomes visible in this order.';
COMMENT ON COLUMN invalidations.subject IS 'The component or the account that was changed.';
