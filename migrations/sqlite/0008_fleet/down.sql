DROP TABLE fleet_rotation_members;
DROP TABLE fleet_rotations;
ALTER TABLE components DROP COLUMN rotation_requested_at;
