/** The GlusterFS engine of one node of a cluster in memory: the real planners over a model of what their steps do. */

import { AppError } from '../../domain/errors.ts';
import type { Ability } from '../../domain/volume/abilities.ts';
import { usableBytes } from '../../domain/volume/copy-size.ts';
import type {
  Desired,
  DesiredAttachment,
  DesiredCopy,
  DesiredIdentity,
  DesiredVolume,
  Engine,
  Observed,
  ObservedBrick,
  ObservedVolume,
  Step,
  Subject,
} from '../../ports/engine.ts';
import { createFakeVolumeKeys } from '../../ports/volume-keys.fake.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { applyWithKey, type FakeCopy, fakeEncryption } from '../image/copy.fake.ts';
import { copyPaths, isCopyPath } from '../image/paths.ts';
import { nameNodes } from './adopted-bricks.ts';
import { isRedundant } from './brick-sets.ts';
import {
  type FakeCluster,
  type FakeNode,
  type FakeState,
  type FakeVolume,
  fakeAway,
  newMount,
  reachableBricks,
  startBricks,
} from './cluster.fake.ts';
import { GLUSTER_CAPABILITIES } from './engine.ts';
import { memberActions } from './members.fake.ts';
import { hasMountOptions, hasProfile, lackingOptions } from './options.ts';
import { planGluster } from './plan.ts';
import type { ObservedGlusterCopy } from './plan-copy.ts';
import { REFUSED, refusedAddresses } from './refusal.ts';
import type { GlusterStep } from './steps.ts';

export interface FakeEngineOptions {
  /** None when left out. */
  readonly keys?: VolumeKeys;
  /**
   * Around each step: call `act` to have it done. Throw, or never return, before or after that, and the node's agent has
   * crashed there.
   */
  readonly around?: (step: Step, act: () => Promise<void>) => Promise<void>;
}

/** Creates the engine of one node. Another one for the same node is the same node after a restart of its agent. */
export function createFakeGlusterEngine(cluster: FakeCluster, name: string, options: FakeEngineOptions = {}): Engine {
  const { state } = cluster;
  const { around = (_step, act) => act(), keys = createFakeVolumeKeys() } = options;
  const alive = (signal: AbortSignal): FakeNode => {
    signal.throwIfAborted();
    const node = state.node(name);
    if (!node.isOn) throw fakeAway(name);
    return node;
  };
  return {
    name: 'gluster',
    capabilities: () => GLUSTER_CAPABILITIES,
    probe: async (signal) => {
      const { isInstalled, id, members, isRejoining } = alive(signal);
      const said = { version: '10.3', id, isBlank: members.size === 1, isRejoining, abilities: FAKE_ABILITIES };
      return { isInstalled, isRunning: isInstalled, ...said };
    },
    observe: async <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      observe(state, alive(signal), desired),
    plan: planGluster,
    apply: (step, signal) =>
      around(step, async () => {
        // Steps come from the planner above; the name decides which of the union it is.
        const own = step as GlusterStep;
        const { copies } = state.node(name);
        await applyWithKey(copies, { step: own, keys, signal }, () => applyStep(state, alive(signal), own));
      }),
  };
}

/** Of every node. */
const FAKE_ABILITIES: Ability[] = ['fscrypt'];

function observe(state: FakeState, node: FakeNode, desired: Desired<Subject>): Observed<Subject> {
  switch (desired.subject) {
    case 'peers': {
      const others = [...node.members].filter((member) => member !== node.name);
      const peers = others.map((member) => ({
        uuid: state.node(member).poolId,
        names: [member],
        // A machine that was installed anew answers, but is not the one that is meant.
        isConnected: state.reaches(node.name, member) && isMember(state.node(member)),
        isMember: true,
      }));
      const { leaving = [] } = desired;
      const brickHosts = [...state.volumes.values()]
        .filter((volume) => !leaving.some((member) => liesOn(volume, member)))
        .flatMap((volume) => volume.bricks.map((brick) => brick.node));
      return { subject: 'peers', peers, addresses: {}, brickHosts, selfId: node.id };
    }
    case 'identity': {
      const volumes = [...state.volumes.values()].filter((volume) => findVolume(state, node, volume.name) === volume);
      const peerIds = [...node.members].filter((each) => each !== node.name).map((each) => state.node(each).poolId);
      return {
        ...{ subject: 'identity', id: node.id, isRunning: true, isUnderWay: node.isRejoining, peerIds },
        isBlank: peerIds.length + volumes.length === 0,
        volumes: volumes.map((volume) => volume.name),
      };
    }
    case 'copy':
      return desired.adopted === undefined ? observeCopy(node, desired) : observeAdopted(state, node, desired);
    case 'volume':
      return observeVolume(state, node, desired);
    case 'attachment':
      return observeAttachment(state, node, desired);
  }
}

/** A volume of Holdfast's that has every brick there. */
function liesOn({ bricks }: FakeVolume, node: string): boolean {
  return bricks.every((brick) => brick.node === node && isCopyPath(brick.path));
}

function isMember(node: FakeNode): boolean {
  return node.id === node.poolId;
}

function observeAdopted(state: FakeState, node: FakeNode, { adopted, ...desired }: DesiredCopy): ObservedGlusterCopy {
  const seen = { subject: 'copy', brickPath: adopted?.path ?? '' } as const;
  if (!desired.isPresent) return { ...seen, state: 'absent' };
  const volume = [...state.volumes.values()].find(({ id }) => id === adopted?.engineId);
  const isThere = volume?.bricks.some((brick) => brick.node === node.name && brick.path === adopted?.path) === true;
  if (!isThere) return { ...seen, state: 'broken', message: 'the directory is not marked for the volume' };
  return { ...seen, state: 'ready', sizeBytes: desired.sizeBytes, capacityBytes: desired.sizeBytes * 2 };
}

function observeCopy(node: FakeNode, desired: DesiredCopy): ObservedGlusterCopy {
  const brickPath = copyPaths(desired).brick;
  const copy = node.copies.get(desired.copyUid);
  if (copy === undefined) return { subject: 'copy', state: 'absent', brickPath };
  const { hasImage, isMounted, isShutDown, reservedBytes: imageBytes } = copy;
  const seen = { subject: 'copy', brickPath, hasImage, isMounted, imageBytes } as const;
  if (isMounted && isShutDown)
    return { ...seen, state: 'broken', isShutDown, message: 'the file system has shut down' };
  const isThere = copy.hasBrick && (copy.brick === 'directory' || isMounted);
  if (!isThere) return { ...seen, state: 'partial' };
  const usable = copy.brick === 'directory' ? desired.sizeBytes : usableBytes(imageBytes);
  const hasLostPort = desired.isCutOff === true && node.running.has(brickPath) && node.lostPorts.has(brickPath);
  const sizeBytes = Math.min(desired.sizeBytes, usable);
  return { ...seen, state: 'ready', hasLostPort, sizeBytes, ...fakeEncryption(desired) };
}

function observeVolume(state: FakeState, node: FakeNode, desired: DesiredVolume): ObservedVolume {
  const volume = findVolume(state, node, desired.name);
  if (volume === undefined) {
    const known = desired.bricks.filter((brick) => node.members.has(brick.node));
    if (desired.bricks.length > 1 && known.length * 2 <= desired.bricks.length) {
      throw new AppError('unavailable', `glusterd on ${node.name} knows too few nodes`, { reason: 'NotInPool' });
    }
    return { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} };
  }
  const observed: ObservedVolume = {
    subject: 'volume',
    isPresent: true,
    isStarted: volume.isStarted,
    engineId: volume.id,
    bricks: nameNodes(
      desired.adopted,
      volume.bricks.map((brick) => observeBrick(state, node, volume, brick)),
    ),
    options: Object.fromEntries(volume.options),
    hasProfile: hasProfile(desired, Object.fromEntries(volume.options)),
    refused: refusedAddresses(Object.fromEntries(volume.options)),
    ...(desired.adopted === undefined ? {} : { lacks: lackingOptions(desired, Object.fromEntries(volume.options)) }),
    ...(volume.limitBytes === undefined ? {} : { limitBytes: volume.limitBytes }),
  };
  drain(state, volume);
  return observed;
}

function observeBrick(
  state: FakeState,
  node: FakeNode,
  volume: FakeVolume,
  brick: FakeVolume['bricks'][number],
): ObservedBrick {
  const isNodeReachable = volume.isStarted && state.reaches(node.name, brick.node);
  const isOnline = isNodeReachable && state.node(brick.node).running.has(brick.path);
  const isReadable = isOnline && state.serves(brick);
  // A brick tells what others lack, also when it lacks other entries itself.
  const owed = [...volume.stale].filter(([path]) => path !== brick.path).reduce((sum, [, count]) => sum + count, 0);
  const heal = volume.bricks.length > 1 && isReadable ? { pendingHeals: owed, splitBrainEntries: 0 } : {};
  return { node: brick.host ?? brick.node, path: brick.path, isOnline, isReadable, isNodeReachable, ...heal };
}

/** A heal goes on while somebody looks: one entry of each copy for each look. */
function drain(state: FakeState, volume: FakeVolume): void {
  if (!volume.isHealing || !volume.bricks.every((brick) => state.serves(brick))) return;
  const data = volume.bricks.filter((brick) => !brick.isArbiter);
  // Of three or more each entry is on two at least; of two, one must have it all.
  if (data.length < 3 && data.every((brick) => volume.stale.has(brick.path))) return;
  for (const [path, count] of volume.stale) {
    if (count > 1) volume.stale.set(path, count - 1);
    else volume.stale.delete(path);
  }
  volume.isHealing = volume.stale.size > 0;
}

function observeAttachment(
  state: FakeState,
  node: FakeNode,
  { volume, mountPath, profile, isProfileSeen }: DesiredAttachment,
): Observed<'attachment'> {
  const mount = node.mounts.get(mountPath);
  if (mount === undefined) return { subject: 'attachment', state: 'absent' };
  if (mount.source !== volume) {
    return { subject: 'attachment', state: 'foreign', message: `${mount.source} is mounted at ${mountPath}` };
  }
  if (!mount.isServed) return { subject: 'attachment', state: 'dead', message: 'no process serves the mount' };
  const found = state.volumes.get(volume);
  if (found === undefined) return { subject: 'attachment', state: 'mounted', isAnswering: false };
  const reachable = reachableBricks(state, found, node.name);
  const connected = [...mount.connected].filter((path) => reachable.has(path)).length;
  mount.connected = reachable;
  const connections = { connected, copies: found.bricks.length };
  const looked = isProfileSeen === true ? {} : { hasProfile: hasMountOptions(profile, mount.options) };
  const isAnswering = state.isUsable(found, node.name);
  return { subject: 'attachment', state: 'mounted', isAnswering, connections, ...looked };
}

/** A volume is known to the members of the pool that its bricks are in. */
function findVolume(state: FakeState, node: FakeNode, name: string): FakeVolume | undefined {
  // A blank glusterd knows of none, and one that has taken its identity back none before it has met a member.
  if (!isMember(node) || (node.isRejoining && node.members.size === 1)) return undefined;
  const volume = state.volumes.get(name);
  return volume?.bricks.some((brick) => node.members.has(brick.node)) === true ? volume : undefined;
}

type Actions = {
  readonly [K in GlusterStep['step']]: (
    state: FakeState,
    node: FakeNode,
    step: Extract<GlusterStep, { step: K }>,
  ) => void;
};

function applyStep<K extends GlusterStep['step']>(
  state: FakeState,
  node: FakeNode,
  step: Extract<GlusterStep, { step: K }>,
): void {
  const act: Actions[K] = ACTIONS[step.step];
  act(state, node, step);
}

/** Each brick obeys a little later; the node's own daemons are refused too. */
function refuseAnew(state: FakeState, volume: FakeVolume): void {
  // A brick that is started later has the options from the beginning.
  volume.lagging = new Map(volume.isStarted ? volume.bricks.map(({ path }) => [path, 0]) : []);
  const refused = refusedAddresses(Object.fromEntries(volume.options));
  for (const each of state.nodes.values()) if (refused.includes(each.address)) each.isHealerCut = true;
}

/** The others have known it all along. */
function learnAnew(state: FakeState, node: FakeNode, peers: DesiredIdentity['peers']): void {
  const known = peers.map((peer) => state.node(peer.node)).find(({ members }) => members.has(node.name));
  if (known !== undefined) node.members = known.members;
}

function start(state: FakeState, node: FakeNode, volume: string): void {
  const found = demandVolume(state, node, volume);
  found.isStarted = true;
  for (const { node: each } of found.bricks) if (state.reaches(node.name, each)) startBricks(state, found, each);
}

const ACTIONS: Actions = {
  probePeer: (state, node, { node: other }) => {
    if (!state.reaches(node.name, other)) throw unavailable('PeerAway', `${other} does not answer ${node.name}`);
    const target = state.node(other);
    if (node.members.has(other)) return;
    const hasVolumes = [...state.volumes.values()].some((volume) => findVolume(state, target, volume.name) === volume);
    if (target.members.size > 1 || hasVolumes) {
      const why = 'is either already part of another cluster or having volumes configured';
      throw new AppError('precondition', `peer probe: failed: ${other} ${why}`, { reason: 'PeerOfAnotherPool' });
    }
    node.members.add(other);
    target.members = node.members;
  },
  detachPeer: (state, node, { node: other, isForced }) => {
    if (!node.members.has(other)) return;
    const there = [...state.volumes.values()].filter(({ bricks }) => bricks.some((brick) => brick.node === other));
    if (!there.every((volume) => liesOn(volume, other))) {
      throw new AppError('precondition', `one of the bricks is on ${other}`, { reason: 'PeerInUse' });
    }
    const isAway = (member: string) => member !== other && !state.reaches(node.name, member);
    if (!isForced && [...node.members].some(isAway)) throw unavailable('PeerAway', 'One of the peers is probably down');
    if (!isForced) demandQuorum(state, node);
    const target = state.node(other);
    // Told, it forgets the pool; one that is away goes on believing that it belongs to it.
    target.members = state.reaches(node.name, other) ? new Set([other]) : new Set(node.members);
    node.members.delete(other);
    // The others forget what lies on it alone.
    for (const { name } of there) state.volumes.delete(name);
  },
  takeIdentity: (state, node, { id, blankId, peers }) => {
    if (node.id !== blankId || node.members.size > 1) throw new AppError('precondition', 'glusterd is not blank');
    node.id = id;
    node.isRejoining = true;
    learnAnew(state, node, peers);
  },
  learnAnew: (state, node, { peers }) => learnAnew(state, node, peers),
  finishIdentity: (_state, node) => {
    node.isRejoining = false;
  },
  makeImage: (_state, node, { copy, imageBytes }) => {
    const made = node.copies.get(copy.copyUid);
    if (made?.hasImage === true) return;
    demandRoom(node, copy.poolPath, imageBytes);
    node.copies.set(copy.copyUid, newCopy(copy, imageBytes));
  },
  cloneImage: (_state, node, { copy, imageBytes }) => {
    const made = node.copies.get(copy.copyUid);
    if (made?.hasImage === true) return;
    demandRoom(node, copy.poolPath, imageBytes);
    node.copies.set(copy.copyUid, newCopy(copy, imageBytes));
  },
  growImage: (_state, node, { copy, imageBytes }) => {
    const found = demandCopy(node, copy.copyUid);
    if (!found.isMounted) throw new AppError('precondition', 'the image is not mounted');
    if (found.reservedBytes >= imageBytes) return;
    demandRoom(node, copy.poolPath, imageBytes - found.reservedBytes);
    found.reservedBytes = imageBytes;
  },
  mountImage: (_state, node, { copy }) => {
    const found = demandCopy(node, copy.copyUid);
    found.isMounted = true;
    found.isShutDown = false;
  },
  makeBrick: (_state, node, { copy }) => {
    if (copy.brick === 'directory' && !node.copies.has(copy.copyUid)) node.copies.set(copy.copyUid, newCopy(copy, 0));
    const found = demandCopy(node, copy.copyUid);
    if (copy.brick === 'image' && !found.isMounted) throw new AppError('precondition', 'the image is not mounted');
    found.hasBrick = true;
  },
  // What the model has written survives power cuts.
  rewriteVolumeFiles: () => undefined,
  rebuildBrick: () => undefined,
  stopBrick: (_state, node, { copy }) => void node.running.delete(copyPaths(copy).brick),
  endLostBrick: (_state, node, { copy }) => {
    const { brick } = copyPaths(copy);
    if (node.lostPorts.has(brick)) node.running.delete(brick);
  },
  unmountImage: (_state, node, { copy }) => {
    const found = node.copies.get(copy.copyUid);
    if (found === undefined) return;
    if (node.running.has(found.brickPath)) throw new AppError('precondition', 'the brick process uses the mount');
    found.isMounted = false;
    found.isShutDown = false;
  },
  eraseCopy: (_state, node, { copy }) => {
    if (node.copies.get(copy.copyUid)?.isMounted === true) throw new AppError('precondition', 'the image is mounted');
    node.copies.delete(copy.copyUid);
  },
  createVolume: (state, node, { volume, bricks, ...shape }) => {
    if (state.volumes.has(volume)) return;
    for (const brick of bricks) {
      if (!node.members.has(brick.node) || !state.reaches(node.name, brick.node)) {
        throw unavailable('PeerAway', `Host ${brick.node} is not in 'Peer in Cluster' state`);
      }
      const copy = [...state.node(brick.node).copies.values()].find((each) => each.brickPath === brick.path);
      if (copy?.hasBrick !== true) throw new AppError('precondition', `Failed to create brick directory ${brick.path}`);
    }
    const id = `id-of-${bricks[0]?.path ?? ''}`;
    const fresh = {
      isStarted: false,
      limitBytes: undefined,
      isHealing: false,
      lagging: new Map<string, number>(),
      late: new Map(),
    };
    state.volumes.set(volume, { name: volume, id, shape, bricks, options: new Map(), stale: new Map(), ...fresh });
  },
  setOptions: (state, node, { volume, options }) => {
    const found = demandVolume(state, node, volume);
    for (const [key, value] of Object.entries(options)) found.options.set(key, value);
    if (options[REFUSED] !== undefined) refuseAnew(state, found);
  },
  resetOptions: (state, node, { volume, keys }) => {
    const found = demandVolume(state, node, volume);
    for (const key of keys) found.options.delete(key);
  },
  startVolume: (state, node, { volume }) => start(state, node, volume),
  // `volume start ... force`: also one that somebody has stopped meanwhile.
  startBricks: (state, node, { volume }) => start(state, node, volume),
  ...memberActions(demandVolume),
  limitVolume: (state, node, { volume, limitBytes }) => {
    demandVolume(state, node, volume).limitBytes = limitBytes;
  },
  healVolume: (state, node, { volume }) => {
    demandVolume(state, node, volume).isHealing = true;
  },
  stopVolume: (state, node, { volume }) => {
    const found = findVolume(state, node, volume);
    if (found === undefined) return;
    demandQuorum(state, node);
    found.isStarted = false;
    for (const brick of found.bricks) state.node(brick.node).running.delete(brick.path);
  },
  deleteVolume: (state, node, { volume }) => {
    const found = findVolume(state, node, volume);
    if (found === undefined) return;
    if (found.isStarted) {
      throw new AppError(
        'precondition',
        `Volume ${volume} has been started.Volume needs to be stopped before deletion.`,
      );
    }
    if ([...node.members].some((member) => !state.reaches(node.name, member))) {
      throw unavailable('PeerAway', 'Some of the peers are down');
    }
    state.volumes.delete(volume);
  },
  mountVolume: (state, node, { volume, mountPath, options = [] }) => {
    const found = state.volumes.get(volume);
    if (found === undefined || !state.isUsable(found, node.name)) {
      throw unavailable('MountRefused', `mounting ${volume} at ${mountPath} on ${node.name} was refused`);
    }
    node.mounts.set(mountPath, newMount(volume, reachableBricks(state, found, node.name), options));
  },
  unmountVolume: (_state, node, { volume, mountPath }) => {
    if (node.mounts.get(mountPath)?.source === volume) node.mounts.delete(mountPath);
  },
  refuse: (_state, _node, { kind, about, resource, reason, hint }) => {
    throw new AppError(kind, about, { resource, reason, hint });
  },
};

function newCopy(copy: Parameters<typeof copyPaths>[0], reservedBytes: number): FakeCopy {
  return {
    uid: copy.copyUid,
    poolPath: copy.poolPath,
    brickPath: copyPaths(copy).brick,
    brick: copy.brick,
    reservedBytes,
    hasImage: copy.brick === 'image',
    isMounted: false,
    hasBrick: false,
    isShutDown: false,
  };
}

function demandRoom(node: FakeNode, poolPath: string, bytes: number): void {
  const capacity = node.pools.get(poolPath);
  if (capacity === undefined) throw new AppError('precondition', `the pool ${poolPath} does not exist`);
  const used = [...node.copies.values()].filter((each) => each.poolPath === poolPath);
  const free = capacity - used.reduce((sum, each) => sum + each.reservedBytes, 0);
  if (free >= bytes) return;
  throw new AppError('capacity', `${node.name}: ${free} bytes free < ${bytes}`, { reason: 'PoolFull' });
}

function demandCopy(node: FakeNode, uid: string): FakeCopy {
  const copy = node.copies.get(uid);
  if (copy === undefined) throw new AppError('notFound', `${node.name} has no copy ${uid}`);
  return copy;
}

function demandVolume(state: FakeState, node: FakeNode, name: string): FakeVolume {
  const volume = findVolume(state, node, name);
  if (volume === undefined)
    throw new AppError('notFound', `Volume ${name} does not exist`, { reason: 'VolumeMissing' });
  if (hasServerQuorum(volume)) demandQuorum(state, node);
  return volume;
}

function hasServerQuorum({ shape, options }: FakeVolume): boolean {
  return isRedundant(shape.layout) && options.get('cluster.server-quorum-type') !== 'none';
}

/** Server quorum: more than half of the pool answers this node. */
function demandQuorum(state: FakeState, node: FakeNode): void {
  const reached = [...node.members].filter((member) => state.reaches(node.name, member));
  if (reached.length * 2 > node.members.size) return;
  throw unavailable('NoQuorum', 'Quorum not met. Volume operation not allowed.');
}

function unavailable(reason: string, message: string): AppError {
  return new AppError('unavailable', message, { reason });
}
