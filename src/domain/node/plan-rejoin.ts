/**
 * What it takes to let a machine that was installed anew take the place of the one of the same name. Pure.
 *
 * Invariant (`plan-rejoin.test.ts`): a copy is to be replaced only when it is lost as its own node says in this boot, and
 * enough others that hold its data serve now.
 */
import type { EngineStatus, StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeCopy, VolumeCopySpec } from '../../schemas/volume-copy.ts';
import { AppError } from '../errors.ts';
import type { StoredCluster } from '../simulate/stored-cluster.ts';
import { isServing } from '../volume/is-serving.ts';
import { fragmentsOf } from '../volume/replica-sets.ts';
import { usableSince } from './is-usable.ts';

const ENGINE = 'gluster';

export interface RejoinCopy {
  readonly copy: string;
  readonly volume: string;
  /** What its node says of it. */
  readonly message?: string;
  /** Nodes that it can be filled from. */
  readonly sources: readonly string[];
}

export interface RejoinPlan {
  readonly node: string;
  /** What the others know the node by. */
  readonly engineId: string;
  /** What the blank engine on it calls itself; left out where it has the right identity already. */
  readonly blankEngineId?: string;
  /** Lost, and filled from the others. */
  readonly replace: readonly RejoinCopy[];
  /** Lost, with nothing to fill them from. */
  readonly hopeless: readonly RejoinCopy[];
  /** Still there, with what they held: brought up to date. */
  readonly kept: readonly RejoinCopy[];
}

/**
 * Plans the return of a node.
 *
 * @throws {AppError} precondition or unavailable, with what has to be so first
 */
export function planRejoin(stored: StoredCluster, name: string): RejoinPlan {
  const node = stored.nodes.find((each) => each.metadata.name === name);
  if (node === undefined) throw new AppError('notFound', `there is no node ${name}`, { reason: 'NodeNotFound' });
  const identity = planIdentity(stored, node, name);
  assertLookedAt(node, name);
  const copies = copiesOnNode(stored, node, name);
  return {
    node: name,
    ...identity,
    replace: copies.lost.filter((copy) => copy.isFillable).map((copy) => copy.lost),
    hopeless: copies.lost.filter((copy) => !copy.isFillable).map((copy) => copy.lost),
    kept: copies.kept,
  };
}

function planIdentity(
  { clusters }: StoredCluster,
  node: StorageNode,
  name: string,
): Pick<RejoinPlan, 'engineId' | 'blankEngineId'> {
  const peers = clusters.find(({ spec }) => spec.nodes.includes(name))?.status?.peers;
  const engineId = peers?.ids?.[name];
  if (peers === undefined || engineId === undefined) {
    throw refuse(name, 'NotAMember', `${name} has never been joined to the others, so there is nothing to rejoin`, {
      hint: `apply the plan that has ${name} among its nodes, and it is joined by itself`,
    });
  }
  const engine = runningEngine(node, name);
  if (engine.id === engineId) return { engineId };
  assertOldGone(peers, name, { engineId, blankEngineId: engine.id });
  if (engine.isBlank !== true) {
    throw refuse(name, 'EngineNotBlank', `GlusterFS on ${name} has joined another pool or holds volumes of its own`, {
      hint: `see "gluster pool list" and "gluster volume list" on ${name}; a machine that rejoins has to have neither`,
    });
  }
  return { engineId, blankEngineId: engine.id };
}

/** The engine of the new machine, which has to be heard of and to run. */
function runningEngine({ status }: StorageNode, name: string): EngineStatus & { readonly id: string } {
  const engine = status?.engines?.find((each) => each.name === ENGINE);
  const isHeard = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
  if (isHeard && engine?.isRunning === true && engine.id !== undefined) return { ...engine, id: engine.id };
  throw new AppError('unavailable', `the new machine is not there yet: ${missingOf(isHeard, engine)}`, {
    resource: `node ${name}`,
    reason: 'NodeNotReady',
    hint: `install GlusterFS on it, start "holdfast node --name ${name}" with its certificate, and see: holdfast node show ${name}`,
  });
}

/** Two machines of one identity would tear the pool apart. */
function assertOldGone(
  peers: { readonly observedBy: string; readonly connected: readonly string[] },
  name: string,
  { engineId, blankEngineId }: { readonly engineId: string; readonly blankEngineId: string },
): void {
  if (peers.observedBy === name) {
    const why = `no other node has looked at the pool since ${name} was installed anew`;
    throw refuse(name, 'NotSeenGone', why, {
      hint: 'another member of the pool has to be up: the identity and the data come from it',
    });
  }
  if (peers.connected.includes(name)) {
    const why = `the machine that the others know as ${name} (${engineId}) still runs beside this one (${blankEngineId})`;
    throw refuse(name, 'IdentityInUse', why, {
      hint: 'switch the old machine off for good, and run the command again',
    });
  }
}

function missingOf(isHeard: boolean, engine: { readonly message?: string | undefined } | undefined): string {
  if (!isHeard) return 'its agent is not heard';
  return engine?.message ?? 'GlusterFS has not been seen running on it';
}

/** A pool that is not there yet may hold the copies that would be given up. */
function assertLookedAt(node: StorageNode, name: string): void {
  const missing = node.spec.pools.find(
    (pool) => node.status?.pools?.some((seen) => seen.name === pool.name && seen.isReady) !== true,
  );
  if (missing === undefined) return;
  const why = node.status?.pools?.find((seen) => seen.name === missing.name)?.message;
  throw refuse(
    name,
    'PoolNotReady',
    `pool ${missing.name} of ${name} is not ready${why === undefined ? '' : `: ${why}`}`,
    {
      hint: `put its disk in place; what was a copy's place before and is there still is kept. See: holdfast node show ${name}`,
    },
  );
}

interface LostCopy {
  readonly lost: RejoinCopy;
  readonly isFillable: boolean;
}

function copiesOnNode(
  stored: StoredCluster,
  node: StorageNode,
  name: string,
): { readonly lost: readonly LostCopy[]; readonly kept: readonly RejoinCopy[] } {
  const lost: LostCopy[] = [];
  const kept: RejoinCopy[] = [];
  // The images of snapshots are counted as copies for the room that they take, and belong to no volume.
  const volumes = new Set(stored.volumes.map(({ metadata }) => metadata.name));
  const here = stored.copies.filter(({ spec }) => spec.node === name && volumes.has(spec.volume));
  for (const copy of here.filter((each) => !isGoing(each))) {
    assertCopySeen(copy, node, name);
    const { copy: entry, isFillable } = describeCopy(stored, copy);
    const state = copy.status?.state;
    if (state === 'Ready') kept.push(entry);
    // One that is being prepared was never part of a volume with data: it is made anew without anybody's help.
    else if (state !== 'Preparing') lost.push({ lost: entry, isFillable });
  }
  return { lost, kept };
}

function isGoing({ metadata, spec }: VolumeCopy): boolean {
  return metadata.deletionTimestamp !== undefined || spec.replacement !== undefined;
}

/** What a node said before this boot is of the machine that is no more. */
function assertCopySeen({ spec, status }: VolumeCopy, node: StorageNode, name: string): void {
  if (status?.bootId !== node.status?.bootId) throw notLookedAt(name, spec.volume);
  if (spec.adopted !== undefined && status?.state !== 'Ready') throw adoptedIsGone(name, spec, status?.message);
}

function describeCopy(
  stored: StoredCluster,
  { metadata, spec, status }: VolumeCopy,
): { readonly copy: RejoinCopy; readonly isFillable: boolean } {
  const { name = '' } = metadata;
  const { sources, isEnough } = findSources(stored, spec.volume, name);
  const message = status?.message === undefined ? {} : { message: status.message };
  return { copy: { copy: name, volume: spec.volume, sources, ...message }, isFillable: isEnough };
}

/** Nothing is made anew of what somebody else made. */
function adoptedIsGone(node: string, { volume, adopted }: VolumeCopySpec, why = 'it is not seen'): AppError {
  const hint = `put the disk with ${adopted?.path ?? 'it'} in place; or exchange the brick with "gluster volume reset-brick" and run the command again`;
  const message = `volume ${volume} was adopted, and its directory on ${node} is not there: ${why}`;
  return refuse(node, 'AdoptedCopyMissing', message, { hint });
}

function notLookedAt(node: string, volume: string): AppError {
  return new AppError('unavailable', `the new ${node} has not looked yet what is left of its copy of ${volume}`, {
    resource: `node ${node}`,
    reason: 'CopiesNotSeen',
    hint: 'run the command again in a moment',
  });
}

/** Other copies of the same set that hold data and serve now. */
function findSources(
  { volumes, nodes }: StoredCluster,
  volume: string,
  copy: string,
): { readonly sources: readonly string[]; readonly isEnough: boolean } {
  const found = volumes.find(({ metadata }) => metadata.name === volume);
  const placement = found?.status?.placement ?? [];
  const placed = placement.find((each) => each.copy === copy);
  if (found === undefined || placed === undefined) return { sources: [], isEnough: false };
  const usable = usableSince(nodes, found.spec.engine);
  const sources = placement
    .filter((each) => each.copy !== copy && each.role === 'data' && (each.set ?? 0) === (placed.set ?? 0))
    .filter((each) => isServing(each, found.status?.engine?.bricks ?? [], usable))
    .map((each) => each.node);
  return { sources, isEnough: sources.length >= (fragmentsOf(found.spec)?.data ?? 1) };
}

function refuse(name: string, reason: string, message: string, { hint }: { readonly hint: string }): AppError {
  return new AppError('precondition', message, { resource: `node ${name}`, reason, hint });
}
