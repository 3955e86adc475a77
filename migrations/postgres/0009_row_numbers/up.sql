-- Keys and sessions refer to their components and accounts by number, and the tag of a configuration stands beside what else is
-- read with a key.

-- All at once, so that no request of a server that still runs waits in a circle with this.
LOCK TABLE components, component_keys, component_configs, accounts, sessions IN ACCESS EXCLUSIVE MODE;

ALTER TABLE components
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT components_number_unique UNIQUE,
    ADD COLUMN config_etag text COLLATE "C";

COMMENT ON COLUMN components.number IS 'What keys refer to. No number is given twice, and none leaves the database.';
COMMENT ON COLUMN components.config_etag IS 'Keyed tag of the configuration, always written together with it; null when none is set.';

UPDATE components SET config_etag = component_configs.etag FROM component_configs WHERE component_id = id;
ALTER TABLE component_configs DROP COLUMN etag;

ALTER TABLE component_keys ADD COLUMN component_number bigint REFERENCES components (number) ON DELETE CASCADE;
UPDATE component_keys SET component_number = components.number FROM components WHERE components.id = component_id;
ALTER TABLE component_keys ALTER COLUMN component_number SET NOT NULL, DROP COLUMN component_id;
CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_number) WHERE state = 'live';
CREATE INDEX component_keys_component_number ON component_keys (component_number);

ALTER TABLE accounts ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT accounts_number_unique UNIQUE;

COMMENT ON COLUMN accounts.number IS 'What sessions refer to. No number is given twice, and none leaves the database.';

ALTER TABLE sessions ADD COLUMN account_number bigint REFERENCES accounts (number) ON DELETE CASCADE;
UPDATE sessions SET account_number = accounts.number FROM accounts WHERE accounts.id = user_id;
ALTER TABLE sessions ALTER COLUMN account_number SET NOT NULL, DROP COLUMN user_id;
CREATE INDEX sessions_account_number ON sessions (account_number);
