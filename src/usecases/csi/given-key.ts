/** The key of an encrypted volume where a call's secrets have one; else the controller makes it. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { isVolumeKey, keyMissing, keySecret, keySecretName, readKey } from '../../domain/volume/volume-key.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import type { CsiDeps } from './csi-deps.ts';

/** Its name among the secrets of a call. */
const FIELD = 'encryptionKey';
/** On a volume whose key is there: changing it wakes the controller, which waits for that. */
const GIVEN_ANNOTATION = 'holdfast.dev/csi-key';

/**
 * The key in the secrets of a call. Whatever else is in there is somebody else's, and passed over.
 *
 * @param isWanted - false where what is asked for is not encrypted
 * @throws {AppError} invalid; it never repeats what was given
 */
export function readGivenKey(
  secrets: Readonly<Record<string, string>> | undefined,
  isWanted: boolean,
): string | undefined {
  const key = secrets !== undefined && Object.hasOwn(secrets, FIELD) ? secrets[FIELD] : undefined;
  if (key === undefined) return undefined;
  if (!isWanted) {
    throw new AppError(
      'invalid',
      `the secrets of the call have an ${FIELD}, but its class does not ask for encryption`,
      {
        hint: 'write encryption: "true" into the parameters of the class, or leave the key out',
      },
    );
  }
  if (isVolumeKey(key)) return key;
  throw new AppError('invalid', `${FIELD} in the secrets of the call is no key`, {
    reason: 'KeyUnreadable',
    hint: 'it has to be 32 to 64 letters, digits, "-" and "_"',
  });
}

/**
 * Keeps the key that was given for a volume, which was made for one.
 *
 * @throws {AppError} exists, where the volume has another
 */
export async function keepGivenKey(
  { client }: Pick<CsiDeps, 'client'>,
  { name, key }: { readonly name: string; readonly key: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (key === undefined) return;
  const volume = await findVolume({ client, signal }, name);
  if (volume.spec.keyIsGiven === true) return giveKey({ client }, volume, key, signal);
  throw new AppError('exists', `there is a volume ${name} already, which was made without ${FIELD}`, {
    resource: `volume ${name}`,
    reason: 'VolumeExists',
    hint: 'choose another name',
  });
}

/** Keeps the key for the volume. Repeated with the same one it changes nothing. @throws {AppError} exists, with another one */
async function giveKey(
  { client }: Pick<CsiDeps, 'client'>,
  { metadata }: Resource<'Volume'>,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid } = metadata;
  try {
    await client.create('Secret', keySecret({ kind: 'volume', name, uid }, key, []), { signal });
  } catch (error) {
    if (!isAppError(error, 'exists')) throw error;
    if ((await storedKey({ client }, uid, signal)) !== key) throw otherKey('exists', `volume ${name}`);
  }
  await client.patch('Volume', name, { metadata: { annotations: { [GIVEN_ANNOTATION]: 'given' } } }, { uid, signal });
}

/**
 * Proves that whoever clones what has a given key has that key.
 *
 * @param owner - the volume or snapshot
 * @throws {AppError} denied
 */
export async function proveGivenKey(
  { client }: Pick<CsiDeps, 'client'>,
  owner: { readonly name: string; readonly uid: string },
  key: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (key === undefined || (await storedKey({ client }, owner.uid, signal)) !== key)
    throw otherKey('denied', owner.name);
}

async function storedKey({ client }: Pick<CsiDeps, 'client'>, ownerUid: string, signal: AbortSignal): Promise<string> {
  const name = keySecretName(ownerUid);
  const secret = await client.get('Secret', name, { signal });
  if (secret === undefined) throw keyMissing(name);
  return readKey(secret);
}

function otherKey(kind: 'exists' | 'denied', what: string): AppError {
  return new AppError(kind, `${FIELD} in the secrets of the call is not the key of ${what}`, {
    reason: 'WrongKey',
    hint: `give ${FIELD} as it was given when that was made`,
  });
}
