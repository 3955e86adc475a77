-- The rotation of keys by the components themselves: one by one, and of the whole fleet in waves.

-- Since when the component has been asked to rotate its key; null when it is not.
ALTER TABLE components ADD COLUMN rotation_requested_at BIGINT;

-- Rotations of the fleet: the one that runs, if one does, and those before.
CREATE TABLE fleet_rotations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- Of components of this kind only; null: of all.
    kind TEXT CHECK (kind IN ('agent', 'collector')),
    wave_size BIGINT NOT NULL CHECK (wave_size > 0),
    -- Beyond which share of those asked it stops by itself.
    max_refused_percent BIGINT NOT NULL CHECK (max_refused_percent BETWEEN 0 AND 100),
    -- How long a wave is waited for.
    wave_timeout_seconds BIGINT NOT NULL CHECK (wave_timeout_seconds > 0),
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'stopped', 'cancelled')),
    -- Why it stopped by itself.
    reason TEXT CHECK ((reason IS NOT NULL) = (state = 'stopped')),
    -- How many components there were to ask when it began.
    total BIGINT NOT NULL CHECK (total >= 0),
    -- The number of the last wave that has begun; waves are begun by raising it.
    wave BIGINT NOT NULL CHECK (wave >= 0),
    wave_began_at BIGINT CHECK ((wave_began_at IS NULL) = (wave = 0)),
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT CHECK ((ended_at IS NULL) = (state = 'running'))
);

CREATE UNIQUE INDEX fleet_rotations_one_runs ON fleet_rotations (state) WHERE state = 'running';
CREATE INDEX fleet_rotations_started_at ON fleet_rotations (started_at);

-- The components of its waves.
CREATE TABLE fleet_rotation_members (
    rotation_id BLOB NOT NULL REFERENCES fleet_rotations ON DELETE CASCADE,
    component_id BLOB NOT NULL REFERENCES components ON DELETE CASCADE,
    wave BIGINT NOT NULL CHECK (wave > 0),
    -- The key that it is to replace.
    key_id BLOB NOT NULL,
    -- When it was asked; null: it will be in a moment.
    asked_at BIGINT,
    PRIMARY KEY (rotation_id, component_id)
);

CREATE INDEX fleet_rotation_members_component_id ON fleet_rotation_members (component_id);
