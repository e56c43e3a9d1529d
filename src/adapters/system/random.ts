/** Chance from the operating system. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

/** randomInt takes ranges up to 2^48 - 1; 32 bits are plenty for jitter. */
const RANGE = 2 ** 32;
/** Of a secret: 64 characters in base64url. */
const SECRET_BYTES = 48;

/** Creates the real random source. */
export function createSystemRandom(): Random {
  return {
    next: () => randomInt(RANGE) / RANGE,
    uuid: () => randomUUID(),
    secret: () => randomBytes(SECRET_BYTES).toString('base64url'),
  };
}
