/**
 * The key of an encrypted volume, as it lies in a Secret. Each that has data encrypted with it has a Secret of its own: a volume
 * for its copies, and a snapshot for its images, so that either can go before the other.
 *
 * Invariant: the Secret is there before the first byte is encrypted with its key, is never written again, and goes after the last
 * byte is erased.
 */
import type { Secret } from '../../schemas/kubernetes.ts';
import { AppError } from '../errors.ts';
import { KEY_FINALIZER } from '../finalizers.ts';

/** On a Secret: the nodes whose agents may read it, with commas. */
export const KEY_NODES_ANNOTATION = 'holdfast.dev/key-nodes';
/** Its field with the key. */
const FIELD = 'key';
/** The kernel takes up to 64 bytes, and AES-256-XTS no less than 32. */
const KEY = /^[A-Za-z0-9_-]{32,64}$/;

/** True for what can be the key of a volume. */
export function isVolumeKey(text: string): boolean {
  return KEY.test(text);
}

/** Name of the Secret of a volume or a snapshot: another one of the same name never meets it. */
export function keySecretName(ownerUid: string): string {
  return `volume-key-${ownerUid}`;
}

export interface KeyOwner {
  readonly kind: 'volume' | 'snapshot';
  readonly name: string;
  readonly uid: string;
}

/**
 * The Secret for a new key.
 *
 * @param nodes - whose agents may read it
 */
export function keySecret(
  { kind, name, uid }: KeyOwner,
  key: string,
  nodes: readonly string[],
): Secret & { readonly metadata: { readonly name: string } } {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: keySecretName(uid),
      finalizers: [KEY_FINALIZER],
      labels: { [`holdfast.dev/${kind}`]: name },
      annotations: { [KEY_NODES_ANNOTATION]: joinNodes(nodes) },
    },
    type: 'holdfast.dev/volume-key',
    immutable: true,
    data: { [FIELD]: encode(key) },
  };
}

/** As the annotation has them. */
export function joinNodes(nodes: readonly string[]): string {
  return [...new Set(nodes)].toSorted().join(',');
}

/**
 * The key in a Secret.
 *
 * @throws {AppError} precondition KeyUnreadable; it never repeats what is there
 */
export function readKey({
  metadata,
  data,
}: {
  readonly metadata: { readonly name?: string | undefined };
  readonly data?: Readonly<Record<string, string>> | undefined;
}): string {
  const key = decode(data?.[FIELD] ?? '');
  if (isVolumeKey(key)) return key;
  throw new AppError('precondition', `Secret ${metadata.name} holds no key of a volume`, {
    reason: 'KeyUnreadable',
    hint: `its data.${FIELD} has to be the base64 of 32 to 64 letters, digits, "-" and "_"; nothing is changed on disk until it is`,
  });
}

/** The failure where there is no such Secret. */
export function keyMissing(secret: string): AppError {
  return new AppError(
    'precondition',
    `the key of the volume is missing: there is no Secret ${secret} in holdfast-system`,
    {
      reason: 'KeyMissing',
      hint: 'put that Secret back from a backup; without it nobody can read the volume, and nothing of it is touched',
    },
  );
}

// atob and btoa are of the language's own environment everywhere; a key is ASCII.
function encode(key: string): string {
  return btoa(key);
}

function decode(text: string): string {
  try {
    return atob(text);
  } catch {
    // No base64: told as no key.
    return '';
  }
}
