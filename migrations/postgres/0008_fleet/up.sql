-- The rotation of keys by the components themselves: one by one, and of the whole fleet in waves.

ALTER TABLE components ADD COLUMN rotation_requested_at timestamptz;

COMMENT ON COLUMN components.rotation_requested_at IS 'Since when the component has been asked to rotate its key; null when it is not.';

CREATE TABLE fleet_rotations (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" CHECK (kind IN ('agent', 'collector')),
    wave_size bigint NOT NULL CHECK (wave_size > 0),
    max_refused_percent bigint NOT NULL CHECK (max_refused_percent BETWEEN 0 AND 100),
    wave_timeout_seconds bigint NOT NULL CHECK (wave_timeout_seconds > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'finished', 'stopped', 'cancelled')),
    reason text COLLATE "C" CHECK ((reason IS NOT NULL) = (state = 'stopped')),
    total bigint NOT NULL CHECK (total >= 0),
    wave bigint NOT NULL CHECK (wave >= 0),
    wave_began_at timestamptz CHECK ((wave_began_at IS NULL) = (wave = 0)),
    started_by text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz CHECK ((ended_at IS NULL) = (state = 'running'))
);

COMMENT ON TABLE fleet_rotations IS 'Rotations of the fleet: the one that runs, if one does, and those before.';
COMMENT ON COLUMN fleet_rotations.kind IS 'Of components of this kind only; null: of all.';
COMMENT ON COLUMN fleet_rotations.max_refused_percent IS 'Beyond which share of those asked it stops by itself.';
COMMENT ON COLUMN fleet_rotations.wave_timeout_seconds IS 'How long a wave is waited for.';
COMMENT ON COLUMN fleet_rotations.reason IS 'Why it stopped by itself.';
COMMENT ON COLUMN fleet_rotations.total IS 'How many components there were to ask when it began.';
COMMENT ON COLUMN fleet_rotations.wave IS 'The number of the last wave that has begun; waves are begun by raising it.';

CREATE UNIQUE INDEX fleet_rotations_one_runs ON fleet_rotations (state) WHERE state = 'running';
CREATE INDEX fleet_rotations_started_at ON fleet_rotations (started_at);

CREATE TABLE fleet_rotation_members (
    rotation_id uuid NOT NULL REFERENCES fleet_rotations ON DELETE CASCADE,
    component_id uuid NOT NULL REFERENCES components ON DELETE CASCADE,
    wave bigint NOT NULL CHECK (wave > 0),
    key_id uuid NOT NULL,
    asked_at timestamptz,
    PRIMARY KEY (rotation_id, component_id)
);

COMMENT ON TABLE fleet_rotation_members IS 'The components of its waves.';
COMMENT ON COLUMN fleet_rotation_members.key_id IS 'The key that it is to replace.';
COMMENT ON COLUMN fleet_rotation_members.asked_at IS 'When it was asked; null: it will be in a moment.';

CREATE INDEX fleet_rotation_members_component_id ON fleet_rotation_members (component_id);
