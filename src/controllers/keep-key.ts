/** Makes and removes the Secrets with the keys of encrypted volumes and snapshots; see domain/volume/volume-key.ts. */
import { isAppError } from '../domain/errors.ts';
import { KEY_FINALIZER } from '../domain/finalizers.ts';
import {
  joinNodes,
  KEY_NODES_ANNOTATION,
  type KeyOwner,
  keyMissing,
  keySecret,
  keySecretName,
  readKey,
} from '../domain/volume/volume-key.ts';
import type { ControllerDeps } from './deps.ts';

type Deps = Pick<ControllerDeps, 'client' | 'random'>;

export interface NewKey {
  readonly owner: KeyOwner;
  /** UID of the volume or snapshot whose key it is to be; a new one when left out. */
  readonly sameAs?: string | undefined;
  /** Nodes whose agents may read it. */
  readonly nodes: readonly string[];
}

/**
 * Makes the key of a volume or a snapshot, before anything is encrypted with it. One that is there is never written again.
 *
 * @throws {AppError} precondition KeyMissing or KeyUnreadable, about the key that it is to be the same as
 */
export async function makeKey(
  { client, random }: Deps,
  { owner, sameAs, nodes }: NewKey,
  signal: AbortSignal,
): Promise<void> {
  if ((await client.get('Secret', keySecretName(owner.uid), { signal })) !== undefined) return;
  const key = sameAs === undefined ? random.secret() : await keyOf({ client }, sameAs, signal);
  try {
    await client.create('Secret', keySecret(owner, key, nodes), { signal });
  } catch (error) {
    // By a try before, whose answer was lost: its key is the one that counts.
    if (!isAppError(error, 'exists')) throw error;
  }
}

/**
 * Takes the key that whoever made the volume has written.
 *
 * @throws {AppError} precondition KeyMissing or KeyUnreadable, until it is there
 */
export async function takeKey(
  { client }: Pick<Deps, 'client'>,
  { uid, nodes }: { readonly uid: string; readonly nodes: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  await keyOf({ client }, uid, signal);
  await shareKey({ client }, { uid, nodes }, signal);
}

async function keyOf({ client }: Pick<Deps, 'client'>, ownerUid: string, signal: AbortSignal): Promise<string> {
  const name = keySecretName(ownerUid);
  const secret = await client.get('Secret', name, { signal });
  if (secret === undefined) throw keyMissing(name);
  return readKey(secret);
}

/** Lets the agents of those nodes read a key, and no others. No error where it is missing: they say so of their copies. */
export async function shareKey(
  { client }: Pick<Deps, 'client'>,
  { uid, nodes }: { readonly uid: string; readonly nodes: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const annotations = { [KEY_NODES_ANNOTATION]: joinNodes(nodes) };
  try {
    await client.patch('Secret', keySecretName(uid), { metadata: { annotations } }, { signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
  }
}

/** Removes a key. Called when nothing is left that is encrypted with it; no error when there is none. */
export async function dropKey({ client }: Pick<Deps, 'client'>, ownerUid: string, signal: AbortSignal): Promise<void> {
  const secret = await client.get('Secret', keySecretName(ownerUid), { signal });
  if (secret === undefined) return;
  const { name, uid, finalizers: held = [] } = secret.metadata;
  const finalizers = held.filter((finalizer) => finalizer !== KEY_FINALIZER);
  try {
    if (finalizers.length < held.length)
      await client.patch('Secret', name, { metadata: { finalizers } }, { uid, signal });
    await client.delete('Secret', name, { uid, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}
