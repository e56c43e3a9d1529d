/**
 * A GlusterFS cluster in memory, shared by the engines of N fake nodes: what the daemons and disks of all nodes hold, the
 * switches and cables, and what a user's writes leave to heal. Deterministic; no time passes in it. The engine on top of
 * it is engine.fake.ts; both the fake and the real engine pass test/contract/engine.contract.ts.
 */
import { AppError } from '../../domain/errors.ts';
import type { DesiredBrick, ObservedAttachment } from '../../ports/engine.ts';
import type { FakeCopy } from '../image/copy.fake.ts';
import { brickSets, setQuorum } from './brick-sets.ts';
import { refusedAddresses } from './refusal.ts';
import type { VolumeShape } from './steps.ts';

export interface FakeMount {
  readonly source: string;
  /** Options of a profile that it was mounted with. */
  readonly options: readonly string[];
  isServed: boolean;
  /** Paths of the bricks that the client has a connection to; it finds one that came back between two looks. */
  connected: ReadonlySet<string>;
}

export interface FakeNode {
  readonly name: string;
  /** Where its clients connect from: 10.9.0.1 is the first node's. */
  readonly address: string;
  /** What its glusterd calls itself. */
  id: string;
  /** What the others know it by. */
  poolId: string;
  /** It has taken its identity back, and has not learned all that the others know since. */
  isRejoining: boolean;
  isOn: boolean;
  isPlugged: boolean;
  isInstalled: boolean;
  /** Its self-heal daemon was refused once, and tries no more. */
  isHealerCut: boolean;
  /** Bytes of each pool, by path. */
  readonly pools: Map<string, number>;
  readonly copies: Map<string, FakeCopy>;
  /** Paths of the bricks that went with its disks when it was installed anew. */
  readonly wiped: Set<string>;
  /** Paths of the bricks whose process runs. */
  readonly running: Set<string>;
  /** Those of them that glusterd sends no client to any more. */
  readonly lostPorts: Set<string>;
  readonly mounts: Map<string, FakeMount>;
  /** Members of the trusted pool that this node belongs to; the same set for all of them. */
  members: Set<string>;
}

/** A brick, and what the engine calls its machine where that is not the node's name. */
export type FakeBrick = DesiredBrick & { readonly host?: string };

export interface FakeVolume {
  readonly name: string;
  readonly id: string;
  shape: VolumeShape;
  bricks: readonly FakeBrick[];
  readonly options: Map<string, string>;
  isStarted: boolean;
  limitBytes: number | undefined;
  /** By path of the bricks that do not obey the latest refusal yet: how often they were looked at; the second look ends it. */
  lagging: Map<string, number>;
  /** By path: calls of clients that were cut off, and how often those were looked at; the second look finds them done. */
  readonly late: Map<string, number>;
  /** Entries that a brick lacks, by its path. */
  readonly stale: Map<string, number>;
  isHealing: boolean;
}

/** The state of the whole cluster, and what of it one node can see. */
export interface FakeState {
  readonly nodes: ReadonlyMap<string, FakeNode>;
  /** Of every pool; a volume is known by the members that its creator had. */
  readonly volumes: Map<string, FakeVolume>;
  node(name: string): FakeNode;
  /** Whether `to` answers `from`: both on, and a network between them. */
  reaches(from: string, to: string): boolean;
  /** The process runs and its file system works. */
  serves(brick: DesiredBrick): boolean;
  /** Whether a client on `from` could use the volume now. */
  isUsable(volume: FakeVolume, from: string): boolean;
}

/** What tests do to the cluster, beside what its engines do. */
export interface FakeCluster {
  readonly state: FakeState;
  /** Everything that runs on the node ends, its mounts among it; its disks and its place in the pool stay. */
  powerOff(node: string): void;
  /** Glusterd starts, and with it those bricks whose directory is there. */
  powerOn(node: string): void;
  unplug(node: string): void;
  plug(node: string): void;
  /** The disks are empty and glusterd knows nothing any more; the node is on. */
  reinstall(node: string): void;
  killBrick(node: string, volume: string): void;
  /** Its process goes on, and no client finds it any more. */
  losePort(node: string, volume: string): void;
  /** The file system of the node's copy meets an error and shuts down; the process goes on. */
  breakDisk(node: string, volume: string): void;
  killMount(node: string, mountPath: string): void;
  /** Mounts something that is not ours. */
  occupy(node: string, mountPath: string): void;
  /** A client on `node` changes entries. False when the volume does not take writes there now. */
  write(node: string, volume: string, entries?: number): boolean;
  mountState(node: string, mountPath: string): ObservedAttachment['state'];
  /** Copies, volumes and mounts that are there, one line each, sorted: empty when everything is wholly gone. */
  residue(): readonly string[];
}

const DEFAULT_POOL = '/pool';
const DEFAULT_POOL_BYTES = 100 * 1024 ** 3;

/** Nodes on which things go wrong, and why: what GlusterFS would print. */
export function fakeAway(node: string): AppError {
  return new AppError('unavailable', `${node} is powered off`, { reason: 'HostOff', resource: `host ${node}` });
}

/**
 * Creates a cluster of nodes that are on, with glusterd running, each in a pool of its own.
 *
 * @param options - `poolBytes`: size of the pool at /pool on each node
 */
export function createFakeCluster(
  names: readonly string[],
  options: { readonly poolBytes?: number } = {},
): FakeCluster {
  const poolBytes = options.poolBytes ?? DEFAULT_POOL_BYTES;
  const nodes = new Map(names.map((name, at) => [name, createNode(name, poolBytes, `10.9.0.${at + 1}`)]));
  const state = createState(nodes);
  const { node } = state;
  const copyOf = (name: string, volume: string): FakeCopy => {
    const brick = state.volumes.get(volume)?.bricks.find((candidate) => candidate.node === name);
    const copy = [...node(name).copies.values()].find((candidate) => candidate.brickPath === brick?.path);
    if (copy === undefined) throw new Error(`${name} has no copy of ${volume}`);
    return copy;
  };
  return {
    state,
    powerOff: (name) => {
      disconnect(state, (brick) => brick.node === name);
      node(name).isOn = false;
      node(name).running.clear();
      node(name).mounts.clear();
      for (const copy of node(name).copies.values()) {
        copy.isMounted = false;
        copy.isShutDown = false;
      }
    },
    powerOn: (name) => {
      node(name).isOn = true;
      for (const volume of state.volumes.values()) if (volume.isStarted) startBricks(state, volume, name);
    },
    unplug: (name) => {
      node(name).isPlugged = false;
      disconnect(state, (brick, client) => (brick.node === name) !== (client === name));
    },
    plug: (name) => {
      node(name).isPlugged = true;
    },
    reinstall: (name) => {
      const fresh = createNode(name, node(name).pools.get(DEFAULT_POOL) ?? DEFAULT_POOL_BYTES, node(name).address);
      Object.assign(node(name), {
        ...{ isOn: true, members: fresh.members, isRejoining: false },
        id: uuidOf(`${name} anew ${node(name).wiped.size}`),
      });
      for (const copy of node(name).copies.values()) node(name).wiped.add(copy.brickPath);
      for (const held of [node(name).copies, node(name).running, node(name).mounts]) held.clear();
    },
    killBrick: (name, volume) => {
      const { brickPath } = copyOf(name, volume);
      disconnect(state, (brick) => brick.node === name && brick.path === brickPath);
      node(name).running.delete(brickPath);
    },
    losePort: (name, volume) => {
      const { brickPath } = copyOf(name, volume);
      disconnect(state, (brick) => brick.node === name && brick.path === brickPath);
      node(name).lostPorts.add(brickPath);
    },
    breakDisk: (name, volume) => {
      copyOf(name, volume).isShutDown = true;
    },
    killMount: (name, mountPath) => {
      const mount = node(name).mounts.get(mountPath);
      if (mount === undefined) throw new Error(`nothing is mounted at ${mountPath} on ${name}`);
      mount.isServed = false;
    },
    occupy: (name, mountPath) => void node(name).mounts.set(mountPath, newMount('/dev/other', new Set())),
    write: (name, volumeName, entries = 1) => write(state, name, { volumeName, entries }),
    mountState: (name, mountPath) => {
      const mount = node(name).mounts.get(mountPath);
      if (mount === undefined) return 'absent';
      if (mount.source === '/dev/other') return 'foreign';
      return mount.isServed ? 'mounted' : 'dead';
    },
    residue: () => residue(state),
  };
}

/** An identity in the form that GlusterFS gives; the same for the same words. */
export function uuidOf(words: string): string {
  const digits = Array.from(words).reduce((sum, letter) => (sum * 131 + letter.charCodeAt(0)) % 16 ** 12, 7);
  return `00000000-0000-4000-8000-${digits.toString(16).padStart(12, '0')}`;
}

function createNode(name: string, poolBytes: number, address: string): FakeNode {
  return {
    name,
    address,
    id: uuidOf(name),
    poolId: uuidOf(name),
    isRejoining: false,
    isOn: true,
    isPlugged: true,
    isInstalled: true,
    isHealerCut: false,
    pools: new Map([[DEFAULT_POOL, poolBytes]]),
    copies: new Map(),
    wiped: new Set(),
    running: new Set(),
    lostPorts: new Set(),
    mounts: new Map(),
    members: new Set([name]),
  };
}

function createState(nodes: ReadonlyMap<string, FakeNode>): FakeState {
  const volumes = new Map<string, FakeVolume>();
  const node = (name: string): FakeNode => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`the fake cluster has no node ${name}`);
    return found;
  };
  const reaches = (from: string, to: string): boolean => {
    if (!node(from).isOn || !node(to).isOn) return false;
    return from === to || (node(from).isPlugged && node(to).isPlugged);
  };
  const serves = (brick: DesiredBrick): boolean => {
    const copy = [...node(brick.node).copies.values()].find((candidate) => candidate.brickPath === brick.path);
    return hasPort(node(brick.node), brick) && copy !== undefined && !copy.isShutDown;
  };
  const isUsable = (volume: FakeVolume, from: string): boolean => {
    // Quorum auto: more than half of a set; a single copy needs itself; a dispersed set enough fragments.
    const isServed = brickSets(volume.bricks, volume.shape).every((set) => {
      const served = set.filter(
        (brick) => reaches(from, brick.node) && serves(brick) && !isRefused(volume, brick, node(from)),
      );
      const { 'cluster.quorum-type': type, 'cluster.quorum-count': count } = Object.fromEntries(volume.options);
      if (type === 'fixed') return served.length >= Math.min(Number(count), set.length);
      if (type === 'none') return served.length > 0;
      // Of two the first is enough by itself.
      if (set.length === 2) return served.some((brick) => brick === set[0]);
      return served.length >= setQuorum(volume.shape, set.length);
    });
    return volume.isStarted && isServed;
  };
  return { nodes, volumes, node, reaches, serves, isUsable };
}

/** Its process runs, and glusterd tells clients where. */
function hasPort({ running, lostPorts }: FakeNode, { path }: DesiredBrick): boolean {
  return running.has(path) && !lostPorts.has(path);
}

/** Whether the brick lets nobody from the node in: it is told to, and obeys by now. */
function isRefused(volume: FakeVolume, { path }: DesiredBrick, { address }: FakeNode): boolean {
  return refusedAddresses(Object.fromEntries(volume.options)).includes(address) && !volume.lagging.has(path);
}

/** Starts the volume's bricks on one node, as far as their directories are there. */
export function startBricks(state: FakeState, volume: FakeVolume, nodeName: string): void {
  const node = state.node(nodeName);
  for (const brick of volume.bricks) {
    if (brick.node !== nodeName) continue;
    const copy = [...node.copies.values()].find((candidate) => candidate.brickPath === brick.path);
    const isThere = copy?.hasBrick === true && (copy.brick === 'directory' || copy.isMounted);
    if (!isThere || node.running.has(brick.path)) continue;
    node.running.add(brick.path);
    node.lostPorts.delete(brick.path);
  }
}

/** A mount as it is just after mounting. */
export function newMount(source: string, connected: ReadonlySet<string>, options: readonly string[] = []): FakeMount {
  return { source, options, isServed: true, connected };
}

/** Paths of the bricks that a client on the node could reach now. */
export function reachableBricks(state: FakeState, volume: FakeVolume, client: string): ReadonlySet<string> {
  const reached = volume.bricks.filter((brick) => {
    const isReached = state.reaches(client, brick.node) && hasPort(state.node(brick.node), brick);
    return isReached && !isRefused(volume, brick, state.node(client));
  });
  return new Set(reached.map((brick) => brick.path));
}

/** Ends connections of mounts to bricks. */
function disconnect(state: FakeState, isCut: (brick: DesiredBrick, client: string) => boolean): void {
  for (const volume of state.volumes.values()) {
    for (const client of state.nodes.values()) {
      const cut = new Set(volume.bricks.filter((brick) => isCut(brick, client.name)).map((brick) => brick.path));
      const mounts = [...client.mounts.values()].filter((mount) => mount.source === volume.name);
      for (const mount of mounts) mount.connected = new Set([...mount.connected].filter((path) => !cut.has(path)));
    }
  }
}

function write(
  state: FakeState,
  from: string,
  { volumeName, entries }: { readonly volumeName: string; readonly entries: number },
): boolean {
  const volume = state.volumes.get(volumeName);
  if (volume === undefined || !state.isUsable(volume, from)) return false;
  // The client refuses what no copy in reach could be current for: an arbiter's word alone keeps no data.
  const isCurrent = ({ isArbiter, path }: DesiredBrick) => !isArbiter && !volume.stale.has(path);
  const isReached = (brick: DesiredBrick) =>
    state.reaches(from, brick.node) && state.serves(brick) && !isRefused(volume, brick, state.node(from));
  if (!volume.bricks.filter(isReached).some(isCurrent)) return false;
  for (const brick of volume.bricks) {
    if (isReached(brick)) continue;
    volume.stale.set(brick.path, (volume.stale.get(brick.path) ?? 0) + entries);
  }
  return true;
}

function residue(state: FakeState): readonly string[] {
  const left = [...state.volumes.keys()].map((name) => `volume ${name}`);
  for (const node of state.nodes.values()) {
    for (const copy of node.copies.values()) left.push(`${node.name}: copy ${copy.uid}`);
    for (const path of node.running) left.push(`${node.name}: brick process of ${path}`);
    for (const path of node.mounts.keys()) left.push(`${node.name}: mount ${path}`);
  }
  return left.toSorted();
}
