// Signing keys of every kind that clients may choose: one for RS256 and PS256, one for ES256, one for EdDSA.

import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

export async function signingKeys() {
  const pairs = await Promise.all([
    generate('rsa', { modulusLength: 2048 }),
    generate('ec', { namedCurve: 'P-256' }),
    generate('ed25519'),
  ]);
  return pairs.map(({ privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomUUID() }));
}
