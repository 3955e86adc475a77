DROP TABLE component_reports;
DROP TABLE component_configs;
DROP TABLE component_keys;
DROP TABLE components;
