-- A server that knows every key that was issued need not ask whether a guess is one: it hears of new ones here.
ALTER TABLE invalidations ADD COLUMN issued bigint;

COMMENT ON COLUMN invalidations.issued IS 'The first eight bytes of the digest of a key that was issued with the change.';
