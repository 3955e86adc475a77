ALTER TABLE invalidations DROP COLUMN issued;
