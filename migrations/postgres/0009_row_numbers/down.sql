ALTER TABLE sessions ADD COLUMN user_id uuid REFERENCES accounts ON DELETE CASCADE;
UPDATE sessions SET user_id = accounts.id FROM accounts WHERE accounts.number = account_number;
ALTER TABLE sessions ALTER COLUMN user_id SET NOT NULL, DROP COLUMN account_number;
CREATE INDEX sessions_user_id ON sessions (user_id);
ALTER TABLE accounts DROP COLUMN number;

ALTER TABLE component_keys ADD COLUMN component_id uuid REFERENCES components ON DELETE CASCADE;
UPDATE component_keys SET component_id = components.id FROM components WHERE components.number = component_number;
ALTER TABLE component_keys ALTER COLUMN component_id SET NOT NULL, DROP COLUMN component_number;
CREATE UNIQUE INDEX component_keys_one_live ON component_keys (component_id) WHERE state = 'live';
CREATE INDEX component_keys_component_id ON component_keys (component_id);

ALTER TABLE component_configs ADD COLUMN etag text COLLATE "C";
UPDATE component_configs SET etag = config_etag FROM components WHERE components.id = component_id;
ALTER TABLE component_configs ALTER COLUMN etag SET NOT NULL;
COMMENT ON COLUMN component_configs.etag IS 'Keyed tag of the body, always written together with it.';
ALTER TABLE components DROP COLUMN config_etag, DROP COLUMN number;
