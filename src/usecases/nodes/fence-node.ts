/**
 * Cuts a node off from every volume, and lets it in again: each by one object, which controller and agents carry out and
 * keep up, whether or not anybody waits.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import { mayRelease } from '../../domain/fence/may-release.ts';
import { FENCE_FINALIZER } from '../../domain/finalizers.ts';
import { addressesOf } from '../../domain/node/addresses-of.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { showNode } from './read-nodes.ts';

type StoredFence = Resource<'FenceRecord'>;

export interface FencePlan {
  readonly node: string;
  readonly addresses: readonly string[];
  /** Where volumes are mounted there, as far as the node has said. */
  readonly mounts: readonly string[];
}

export interface FenceOptions {
  readonly isDryRun: boolean;
  /** Kept in the record, and told to whoever is refused. */
  readonly reason?: string;
  /** How long to wait for the proof; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked before anything is changed. */
  readonly confirm: (plan: FencePlan) => Promise<boolean>;
}

export interface FencedNode extends FencePlan {
  /** planned: a dry run. kept: the question was answered with no. asked: goes on by itself. held: proven. */
  readonly outcome: 'planned' | 'kept' | 'asked' | 'held';
  readonly record?: StoredFence;
}

/**
 * Fences a node. Repeated, it waits for the same fence.
 *
 * @throws {AppError} notFound; precondition, for a node that was never heard of, or one that is being unfenced; timeout,
 *   with what is not proven: the fence stays, and is still worked on
 */
export async function fenceNode(deps: WaitDeps, name: string, options: FenceOptions): Promise<FencedNode> {
  const { signal, reason } = options;
  const scope = signal === undefined ? {} : { signal };
  const { node, attachments } = await showNode({ client: deps.client, ...scope }, name);
  const addresses = [...new Set(addressesOf(node.spec))];
  const plan = { node: name, addresses, mounts: attachments.map(({ spec }) => spec.mountPath).toSorted() };
  const existing = await deps.client.get('FenceRecord', name, scope);
  if (existing?.metadata.deletionTimestamp !== undefined) throw beingReleased(name);
  const bootId = node.status?.bootId;
  if (bootId === undefined) {
    throw new AppError('precondition', `node ${name} was never heard of: nothing of Holdfast's is mounted there`, {
      resource: `node ${name}`,
      reason: 'NeverReported',
    });
  }
  if (options.isDryRun) return { ...plan, outcome: 'planned' };
  if (existing === undefined) {
    if (!(await options.confirm(plan))) return { ...plan, outcome: 'kept' };
    const spec = { node: name, nodeUid: node.metadata.uid, bootId, addresses: [...addresses] };
    await create(deps, { ...spec, ...(reason === undefined ? {} : { reason }) }, scope);
  }
  if (options.waitMs === undefined) return { ...plan, outcome: 'asked' };
  const record = await waitUntilHeld(deps, name, options.waitMs, scope);
  return { ...plan, outcome: 'held', record };
}

async function create(
  { client }: WaitDeps,
  spec: StoredFence['spec'],
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  try {
    await client.create('FenceRecord', { metadata: { name: spec.node, finalizers: [FENCE_FINALIZER] }, spec }, scope);
  } catch (error) {
    if (!isAppError(error, 'exists')) throw error; // somebody else fences it: that is what was wanted
  }
}

function waitUntilHeld(
  deps: WaitDeps,
  name: string,
  timeoutMs: number,
  scope: { readonly signal?: AbortSignal },
): Promise<StoredFence> {
  return waitForObject(deps, {
    ...{ kind: 'FenceRecord', name, timeoutMs, ...scope },
    check: (record) => {
      if (record === undefined || record.metadata.deletionTimestamp !== undefined) throw beingReleased(name);
      return record.status?.phase === 'Held' ? record : undefined;
    },
    describeTimeout: (record) =>
      new AppError(
        'timeout',
        `${name} may still write: ${record?.status?.message ?? 'no controller has looked at the fence yet'}`,
        {
          resource: `node ${name}`,
          reason: 'FenceNotProven',
          hint: `the fence stays, and is worked on; see: holdfast node show ${name}`,
        },
      ),
  });
}

function beingReleased(name: string): AppError {
  return new AppError('precondition', `node ${name} is being unfenced`, {
    resource: `node ${name}`,
    reason: 'BeingUnfenced',
    hint: 'wait until that is done, and fence it anew',
  });
}

export interface UnfencedNode {
  readonly node: string;
  /** nothing: it was not fenced. planned: a dry run. asked: goes on by itself. unfenced: done. */
  readonly outcome: 'nothing' | 'planned' | 'asked' | 'unfenced';
}

/**
 * Lets a node in again, once it has been restarted or has nothing mounted any more.
 *
 * @throws {AppError} notFound; precondition, with why not yet; timeout, with what it waits for
 */
export async function unfenceNode(
  deps: WaitDeps,
  name: string,
  { isDryRun, waitMs, signal }: Pick<FenceOptions, 'isDryRun' | 'waitMs' | 'signal'>,
): Promise<UnfencedNode> {
  const scope = signal === undefined ? {} : { signal };
  const [record, node] = await Promise.all([
    deps.client.get('FenceRecord', name, scope),
    deps.client.get('StorageNode', name, scope),
  ]);
  if (record === undefined) {
    await showNode({ client: deps.client, ...scope }, name);
    return { node: name, outcome: 'nothing' };
  }
  const { uid } = record.metadata;
  const decision = mayRelease({ uid, spec: record.spec }, node);
  if (!decision.ok && record.status?.phase !== 'Releasing') {
    throw new AppError('precondition', `${name} stays fenced: ${decision.reason}`, {
      resource: `node ${name}`,
      reason: 'StillDangerous',
      hint: `see: holdfast node show ${name}`,
    });
  }
  if (isDryRun) return { node: name, outcome: 'planned' };
  await deps.client.delete('FenceRecord', name, { uid, ...scope });
  if (waitMs === undefined) return { node: name, outcome: 'asked' };
  await waitForObject(deps, {
    ...{ kind: 'FenceRecord', name, timeoutMs: waitMs, ...scope },
    check: (seen) => (seen?.metadata.uid === uid ? undefined : true),
    describeTimeout: (seen) =>
      new AppError('timeout', `${name} is not unfenced yet: ${seen?.status?.message ?? 'no controller runs'}`, {
        resource: `node ${name}`,
        reason: 'NotUnfencedInTime',
        hint: 'it goes on by itself',
      }),
  });
  return { node: name, outcome: 'unfenced' };
}
