ALTER TABLE sessions DROP COLUMN confirm_by;
DROP TABLE oidc_attempts;
DROP TABLE oidc_sessions;
DROP TABLE oidc_identities;
DROP TABLE oidc_transactions;
DROP TABLE oidc_providers;
