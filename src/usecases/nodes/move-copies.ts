/** Moves every copy away from a node, or gives up what was on one that is gone: the wish is stored, the controller carries it out. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { foreseeMoves, foreseeReplacement, type Move, type StoredWorld } from '../../domain/volume/foresee-moves.ts';
import { endWithNode } from '../../domain/volume/given-up.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { assertReplaceable } from './irreplaceable.ts';

export interface MoveOptions {
  /** How long to wait for each copy; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress: (message: string) => void;
}

type Scope = { readonly signal?: AbortSignal };

function scopeOf({ signal }: { readonly signal?: AbortSignal }): Scope {
  return signal === undefined ? {} : { signal };
}

/** What draining the node would do, one line for each copy; nothing is changed. @throws {AppError} notFound */
export async function foreseeDrain(deps: WaitDeps, node: string, scope: Scope): Promise<readonly Move[]> {
  await demandNode(deps, node, scope);
  return foreseeMoves(node, await readWorld(deps, scope));
}

interface World extends StoredWorld {
  readonly volumes: readonly Resource<'Volume'>[];
  readonly copies: readonly Resource<'VolumeCopy'>[];
}

async function readWorld({ client }: WaitDeps, scope: Scope): Promise<World> {
  const [nodes, volumes, copies] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
  ]);
  return { nodes: nodes.items, volumes: volumes.items, copies: copies.items };
}

/**
 * Asks that every copy leaves the node, and waits until they have.
 *
 * @throws {AppError} notFound; precondition, with the volumes that cannot move; timeout
 */
export async function drainNode(deps: WaitDeps, node: string, options: MoveOptions): Promise<readonly Move[]> {
  const scope = scopeOf(options);
  const moves = await foreseeDrain(deps, node, scope);
  for (const { volume, blockedBy } of moves) {
    if (blockedBy !== undefined) options.onProgress(`${volume}: ${blockedBy}`);
  }
  await deps.client.patch('StorageNode', node, { spec: { isDraining: true } }, scope);
  if (options.waitMs === undefined) return moves;
  const fixed = moves.filter((move) => move.isForGood);
  let left = moves.length - fixed.length;
  for (const move of moves) {
    if (move.isForGood) continue;
    await waitUntilMoved(deps, move, { ...options, waitMs: options.waitMs });
    left -= 1;
    options.onProgress(`${move.volume}: its copy has left ${node}; copies left: ${left + fixed.length}`);
  }
  if (fixed.length > 0) throw cannotMove(node, fixed);
  return moves;
}

/** Lets copies be placed on the node again; those that have left do not come back. @throws {AppError} notFound */
export async function undrainNode(deps: WaitDeps, node: string, scope: Scope): Promise<void> {
  await demandNode(deps, node, scope);
  await deps.client.patch('StorageNode', node, { spec: { isDraining: null } }, scope);
}

export interface Replacement {
  readonly reason: 'NodeLost' | 'DiskLost';
  /** The node for the new copies; chosen for each when left out. */
  readonly node?: string;
}

/** Asks that new copies take the places of these, and waits until the old ones are given up. @throws {AppError} timeout */
export async function replaceCopies(
  deps: WaitDeps,
  copies: readonly Resource<'VolumeCopy'>[],
  replacement: Replacement,
  options: MoveOptions,
): Promise<void> {
  const scope = scopeOf(options);
  for (const { metadata } of copies) {
    await deps.client.patch('VolumeCopy', metadata.name, { spec: { replacement } }, { uid: metadata.uid, ...scope });
  }
  if (options.waitMs === undefined) return;
  for (const { metadata, spec } of copies) {
    const move = { volume: spec.volume, copy: metadata.name, isForGood: false };
    await waitUntilMoved(deps, move, { ...options, waitMs: options.waitMs });
    options.onProgress(`${spec.volume}: another copy took the place of that on ${spec.node}`);
  }
}

/** The copy is neither placed nor needed any more. */
async function waitUntilMoved(
  deps: WaitDeps,
  { volume, copy }: Move,
  { waitMs, onProgress, ...rest }: MoveOptions & { readonly waitMs: number },
): Promise<void> {
  let told: string | undefined;
  const timeout = { timeoutMs: waitMs, ...scopeOf(rest) };
  const tooLate = (why: string) =>
    new AppError('timeout', `the copy of ${volume} has not moved after ${waitMs / 1000} s: ${why}`, {
      resource: `volume ${volume}`,
      reason: 'NotMovedInTime',
      hint: `it goes on by itself; see: holdfast volume show ${volume}`,
    });
  const settled = (seen: Resource<'Volume'> | undefined) => {
    if (seen === undefined) return 'nothing has begun';
    // One that was never made, or is being removed, has no members that could change.
    const hasMembers = seen.status?.phase !== 'Deleting' && seen.status?.engine?.engineId !== undefined;
    return findCondition(seen, hasMembers ? 'Settled' : 'Ready')?.message ?? 'nothing has begun';
  };
  await waitForObject(deps, {
    ...{ kind: 'Volume', name: volume, ...timeout },
    check: (seen) => {
      const placement = seen?.status?.placement ?? [];
      if (!placement.some((placed) => placed.copy === copy || placed.replaces === copy)) return true;
      const message = settled(seen);
      if (message !== told) onProgress(`${volume}: ${message}`);
      told = message;
      return undefined;
    },
    describeTimeout: (seen) => tooLate(settled(seen)),
  });
  await waitForObject(deps, {
    ...{ kind: 'VolumeCopy', name: copy, ...timeout },
    check: (seen) => (seen === undefined || seen.spec.isReleased === true ? true : undefined),
    describeTimeout: () => tooLate('the old copy is not given up yet'),
  });
}

async function demandNode({ client }: WaitDeps, node: string, scope: Scope): Promise<Resource<'StorageNode'>> {
  const found = await client.get('StorageNode', node, scope);
  if (found !== undefined) return found;
  throw new AppError('notFound', `there is no node ${JSON.stringify(node)}`, {
    reason: 'NodeNotFound',
    hint: 'see: holdfast node list',
  });
}

interface NodeReplacement {
  readonly old: string;
  /** The node for the new copies; chosen for each when left out. */
  readonly node?: string;
}

/** What `replaceNode` would do, one line for each copy; nothing is changed. @throws {AppError} as `replaceNode` does */
export async function foreseeNodeReplacement(
  deps: WaitDeps,
  { old, node }: NodeReplacement,
  scope: Scope,
): Promise<readonly Move[]> {
  const { wanted } = await demandGone(deps, { old, ...(node === undefined ? {} : { node }) }, scope);
  return foreseeReplacement(wanted, nodeLost(node), await readWorld(deps, scope));
}

function nodeLost(node: string | undefined): Replacement {
  return { reason: 'NodeLost', ...(node === undefined ? {} : { node }) };
}

interface Lost {
  /** To be replaced. */
  readonly wanted: readonly Resource<'VolumeCopy'>[];
  /** Volumes that were deleted, and of which nothing is left but what the node had. */
  readonly ending: readonly string[];
}

/** What the node had. */
async function demandGone(deps: WaitDeps, { old, node }: NodeReplacement, scope: Scope): Promise<Lost> {
  const found = await demandNode(deps, old, scope);
  if (node !== undefined) await demandNode(deps, node, scope);
  if (findCondition(found, 'Ready')?.status === 'True') throw isThere(old);
  const { copies, volumes } = await readWorld(deps, scope);
  const left = endWithNode(volumes, old);
  const had = copies.filter(({ spec }) => spec.node === old && spec.isReleased !== true);
  const isEnding = ({ spec }: VolumeCopy) => left.some(({ metadata }) => metadata.uid === spec.volumeUid);
  const wanted = had.filter((copy) => !isEnding(copy));
  assertReplaceable(wanted, volumes);
  return { wanted, ending: [...new Set(had.filter(isEnding).map(({ spec }) => spec.volume))] };
}

/**
 * Replaces a node that is gone for good: new copies for all that it had, and then nothing of it is left.
 *
 * @throws {AppError} notFound; precondition, while the node is there, or when it had the only copies of a volume that nobody
 * has deleted; timeout
 */
export async function replaceNode(
  deps: WaitDeps,
  { old, node }: NodeReplacement,
  options: MoveOptions & {
    readonly waitMs: number;
    /** Asked with the deleted volumes that end with it. */
    readonly confirm: (ending: readonly string[]) => Promise<boolean>;
  },
): Promise<'replaced' | 'kept'> {
  const { client } = deps;
  const scope = scopeOf(options);
  const { wanted, ending } = await demandGone(deps, { old, ...(node === undefined ? {} : { node }) }, scope);
  if (!(await options.confirm(ending))) return 'kept';
  await client.patch('StorageNode', old, { spec: { isDraining: true } }, scope);
  await replaceCopies(deps, wanted, nodeLost(node), options);
  // That took its time. Of a node that is back nothing is let go: it has mounts that are in use, for one.
  const now = await demandNode(deps, old, scope);
  if (findCondition(now, 'Ready')?.status === 'True') throw cameBack(old);
  await removeNode(deps, old, scope);
  return 'replaced';
}

/** Nothing is placed on the node any more. Last its StorageNode: without it the controller lets go of what it held. */
async function removeNode({ client }: WaitDeps, node: string, scope: Scope): Promise<void> {
  for (const cluster of (await client.list('StorageCluster', scope)).items) {
    const { name, uid, resourceVersion } = cluster.metadata;
    const nodes = cluster.spec.nodes.filter((each) => each !== node);
    if (nodes.length === cluster.spec.nodes.length) continue;
    await client.patch('StorageCluster', name, { spec: { nodes } }, { uid, resourceVersion, ...scope });
  }
  for (const record of (await client.list('VolumeAttachmentRecord', scope)).items) {
    if (record.spec.node !== node) continue;
    const { name, uid } = record.metadata;
    await ignoreMissing(client.delete('VolumeAttachmentRecord', name, { uid, ...scope }));
    // Its agent would take it off after unmounting; that agent is gone, and the mount with it.
    await ignoreMissing(
      client.patch('VolumeAttachmentRecord', name, { metadata: { finalizers: [] } }, { uid, ...scope }),
    );
  }
  await ignoreMissing(client.delete('StorageNode', node, scope));
}

async function ignoreMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}

interface ExchangedDisk {
  readonly node: string;
  readonly pool: string;
}

/** What `replaceDisk` would do, one line for each copy; nothing is changed. @throws {AppError} as `replaceDisk` does */
export async function foreseeDiskReplacement(
  deps: WaitDeps,
  disk: ExchangedDisk,
  scope: Scope,
): Promise<readonly Move[]> {
  const lost = await demandLost(deps, disk, scope);
  return foreseeReplacement(lost, { reason: 'DiskLost', node: disk.node }, await readWorld(deps, scope));
}

async function demandLost(
  deps: WaitDeps,
  { node, pool }: ExchangedDisk,
  scope: Scope,
): Promise<readonly Resource<'VolumeCopy'>[]> {
  await demandNode(deps, node, scope);
  const { copies, volumes } = await readWorld(deps, scope);
  const kept = volumes.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const isKept = ({ spec }: VolumeCopy) => kept.some(({ metadata }) => metadata.uid === spec.volumeUid);
  const here = copies.filter(
    (copy) => copy.spec.node === node && copy.spec.pool === pool && copy.spec.isReleased !== true && isKept(copy),
  );
  // What is there and can be read needs no successor.
  const lost = here.filter(({ status }) => status?.path !== undefined && status.state !== 'Ready');
  if (lost.length === 0) throw nothingLost(node, pool);
  assertReplaceable(lost, volumes);
  return lost;
}

/**
 * Replaces the copies on a disk that was exchanged, on the same node.
 *
 * @throws {AppError} notFound; precondition, when no copy there is lost, or one that no other can fill anew; timeout
 */
export async function replaceDisk(
  deps: WaitDeps,
  disk: ExchangedDisk,
  options: MoveOptions & { readonly confirm: (volumes: readonly string[]) => Promise<boolean> },
): Promise<readonly string[] | undefined> {
  const lost = await demandLost(deps, disk, scopeOf(options));
  const volumes = lost.map(({ spec }) => spec.volume);
  if (!(await options.confirm(volumes))) return undefined;
  await replaceCopies(deps, lost, { reason: 'DiskLost', node: disk.node }, options);
  return volumes;
}

function cannotMove(node: string, moves: readonly Move[]): AppError {
  const volumes = moves.map(({ volume }) => volume).join(', ');
  return new AppError('precondition', `${node} cannot be emptied: it has copies that cannot move, of ${volumes}`, {
    resource: `node ${node}`,
    reason: 'CopiesCannotMove',
    hint: 'copy their data into other volumes and delete them; or keep the node: holdfast node undrain ' + node,
    faults: moves.map(({ volume, blockedBy = 'it has no second copy' }) => ({ field: volume, message: blockedBy })),
  });
}

function isThere(node: string): AppError {
  return new AppError('precondition', `${node} is there: its agent reports`, {
    resource: `node ${node}`,
    reason: 'NodeIsThere',
    hint: `to empty it: holdfast node drain ${node}. To replace it without: switch it off for good first`,
  });
}

function cameBack(node: string): AppError {
  return new AppError('precondition', `${node} has come back, and stays; what it had is being moved to other nodes`, {
    resource: `node ${node}`,
    reason: 'NodeIsThere',
    hint: `to keep it in use: holdfast node undrain ${node}. To remove it: switch it off for good, then repeat the command`,
  });
}

function nothingLost(node: string, pool: string): AppError {
  return new AppError('precondition', `no copy in pool ${pool} of ${node} is known to be lost`, {
    resource: `node ${node}`,
    reason: 'NothingLost',
    hint: `see: holdfast node show ${node}. To move copies off a disk that still works: holdfast node drain ${node}`,
  });
}
