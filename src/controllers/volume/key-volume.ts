/** The key of an encrypted volume beside what is decided about it: made before its first copy, shared with the nodes of its copies. */
import { isAppError } from '../../domain/errors.ts';
import type { VolumeDecision } from '../../domain/volume/decide-volume.ts';
import { notReady } from '../../domain/volume/judge-health.ts';
import { joinNodes, keySecretName } from '../../domain/volume/volume-key.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { makeKey, shareKey, takeKey } from '../keep-key.ts';

interface Keyed {
  readonly decision: VolumeDecision;
  /** Its copies. */
  readonly own: readonly Resource<'VolumeCopy'>[];
}

/**
 * Invariant: a placement is stored only when the key is there, and copies are made only for a stored placement. So a key that is
 * missing later was lost, and no other is made in its place.
 *
 * @returns the decision; or, where the key of what it is a clone of is missing, that it waits for that
 */
export async function keyVolume(
  deps: ControllerDeps,
  volume: Resource<'Volume'>,
  { decision, own }: Keyed,
  signal: AbortSignal,
): Promise<VolumeDecision> {
  const { metadata, spec, status } = volume;
  const { name, uid } = metadata;
  const nodes = keyNodes(volume, { decision, own });
  if (isKeyed(volume, decision, nodes)) return decision;
  const shared = { ...decision, status: { ...decision.status, keyNodes: [...nodes] } };
  if ((status?.placement ?? []).length > 0) {
    await shareKey(deps, { uid, nodes }, signal);
    await grant(deps, uid, nodes, signal);
    return shared;
  }
  try {
    const sameAs = spec.source?.snapshotUid;
    if (spec.keyIsGiven === true && sameAs === undefined) await takeKey(deps, { uid, nodes }, signal);
    else await makeKey(deps, { owner: { kind: 'volume', name, uid }, sameAs, nodes }, signal);
    await grant(deps, uid, nodes, signal);
    return shared;
  } catch (error) {
    if (!isAppError(error, 'precondition')) throw error;
    return wait(error.message);
  }
}

/** No error where the key is missing: the agents say so of their copies, and placing waits for it anyway. */
async function grant(
  { keyAccess }: Pick<ControllerDeps, 'keyAccess'>,
  uid: string,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await keyAccess?.grant(keySecretName(uid), nodes, signal);
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
  }
}

/** True where there is nothing new to do about the key. */
function isKeyed(seen: Resource<'Volume'>, decision: VolumeDecision, nodes: readonly string[]): boolean {
  if (seen.spec.encryption !== true || decision.isGone || nodes.length === 0) return true;
  return joinNodes(nodes) === joinNodes(seen.status?.keyNodes ?? []);
}

/** Where there is, or is to be, a copy of it. */
function keyNodes({ status }: Resource<'Volume'>, { decision, own }: Keyed): readonly string[] {
  const { placement = status?.placement ?? [], restore = status?.restore } = decision.status;
  const placed = [...placement, ...(restore?.placement ?? [])].map(({ node }) => node);
  const kept = own.map(({ spec }) => spec.node);
  return [...new Set([...placed, ...kept])].toSorted();
}

function wait(message: string): VolumeDecision {
  const nothing = { createCopies: [], releaseCopies: [], abandonCopies: [], isGone: false } as const;
  return { ...nothing, status: { phase: 'Pending', reasons: [message] }, claims: notReady('KeyMissing', message) };
}
