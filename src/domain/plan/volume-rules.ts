/** Rules over the volumes and shares of a plan, against its machines. */
import { parseQuantity } from '../bytes.ts';
import { isAppError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { parseVolumeSize } from '../volume/copy-size.ts';
import { engineFaults, FILE_SYSTEM_TYPES, localLayout } from '../volume/engines.ts';
import { decideLayout, isCount, isReplicaCount, type LayoutRequest } from '../volume/layout.ts';
import { LAYOUTS, type LayoutName, layoutFaults } from '../volume/layout-faults.ts';
import { wantedCopies } from '../volume/replica-sets.ts';
import { isLayoutWord } from '../volume/striped.ts';
import { asText, type DraftItem, draftNodes, draftVolumes, entries, field } from './draft.ts';
import type { PlanFault, PlanPath } from './fault.ts';
import { nodeNameOf } from './node-name.ts';

/** Pool that a volume uses when it names none. */
export const DEFAULT_POOL = 'default';

/** Directories that a mount would hide from the machine itself. */
const SYSTEM_DIRECTORIES = [
  'bin',
  'boot',
  'dev',
  'etc',
  'home',
  'lib',
  'lib64',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var',
];

/** Directories in which no mount and no pool belongs, however deep. */
const SYSTEM_TREES =
  /^\/(?:(?:bin|boot|dev|etc|lib|lib32|lib64|proc|sbin|sys|usr\/(?!local\/)[^/]+|var\/(?:lib\/(?:dpkg|glusterd|holdfast)|log|run))(?:\/|$)|(?:opt\/holdfast|run\/holdfast|var\/lib|usr\/local)$)/;

interface PlanNodeSeen {
  readonly name: string;
  readonly pools: readonly string[];
  readonly poolPaths: readonly string[];
}

/** Checks the sections volumes and nfs. */
export function checkVolumes(plan: unknown): readonly PlanFault[] {
  const nodes = draftNodes(plan).map(seeNode);
  const volumes = draftVolumes(plan);
  return [
    ...checkNames(volumes),
    ...volumes.flatMap((volume) => (isShare(volume) ? refuseShare(volume) : [])),
    ...volumes
      .filter((volume) => !isShare(volume))
      .flatMap((volume) => [
        ...checkSize(volume),
        ...checkCopies(volume, nodes),
        ...checkNodeNames(volume, nodes),
        ...checkEngine(volume, nodes),
      ]),
    ...checkMountPaths(volumes, nodes),
    ...checkShares(plan),
    ...draftNodes(plan)
      .flatMap((node) => entries(field(node, 'pools')))
      .flatMap((pool) => checkSystemDirectory(field(pool, 'path'))),
  ];
}

function isShare(volume: DraftItem): boolean {
  return field(volume, 'engine').value === 'nfs';
}

/** A volume of a plan has no words for its file server: the section nfs has. */
function refuseShare(volume: DraftItem): readonly PlanFault[] {
  const { path } = field(volume, 'engine');
  const message = 'a share of a file server is no entry of volumes';
  const fix =
    'list the whole of a share under nfs.nfs_volume; a folder of one is added with: holdfast volume add --server';
  return [{ path, at: 'value', message, fix }];
}

function seeNode(node: DraftItem): PlanNodeSeen {
  const pools = entries(field(node, 'pools'));
  const texts = (name: string) => pools.flatMap((pool) => asText(field(pool, name))?.value ?? []);
  return { name: nodeNameOf(asText(field(node, 'host'))?.value ?? ''), pools: texts('name'), poolPaths: texts('path') };
}

function checkNames(volumes: readonly DraftItem[]): readonly PlanFault[] {
  const first = new Map<string, PlanPath>();
  return volumes.flatMap((volume): readonly PlanFault[] => {
    const name = asText(field(volume, 'name'));
    if (name === undefined) return [];
    const other = first.get(name.value);
    if (other === undefined) {
      first.set(name.value, name.path);
      return [];
    }
    const message = `two volumes are named ${JSON.stringify(name.value)}`;
    return [{ path: name.path, at: 'value', message, fix: 'rename one of them', other }];
  });
}

/** Text that is no size at all, or one that no number holds, is told by the schema. */
function checkSize(volume: DraftItem): readonly PlanFault[] {
  const size = asText(field(volume, 'size'));
  try {
    // What exists has whatever size it has.
    if (size === undefined || field(volume, 'adopted').value !== undefined || !isQuantity(size.value)) return [];
    parseVolumeSize(size.value);
    return [];
  } catch (error) {
    if (!isAppError(error, 'range') || size === undefined) throw error;
    return [{ path: size.path, at: 'value', message: error.message, fix: error.hint ?? 'choose a larger size' }];
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return false;
  }
}

function checkCopies(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  if (field(volume, 'adopted').value !== undefined) return checkAdopted(volume, nodes);
  const pool = asText(field(volume, 'pool'));
  const poolName = pool?.value ?? DEFAULT_POOL;
  const withPool = nodes.filter((node) => node.pools.includes(poolName));
  if (withPool.length === 0) return [noSuchPool(poolName, pool?.path ?? volume.path, nodes)];
  const request = wishedLayout(volume);
  const decision = request && decideLayout(request, withPool.length);
  if (decision === undefined || decision.ok) return [];
  const named = [field(volume, 'replicas'), field(volume, 'layout')];
  const at = named.find((item) => item.value !== undefined) ?? volume;
  return [{ path: at.path, at: 'value', message: decision.message, fix: decision.hint }];
}

function wishedLayout(volume: DraftItem): LayoutRequest | undefined {
  const read = readLayoutRequest(volume);
  return read !== undefined && field(volume, 'engine').value === 'local' ? localLayout(read) : read;
}

/** What is adopted has its copies already: whatever its layout, it needs only the machines that they are on. */
function checkAdopted(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const names = nodes.map((node) => node.name);
  const bricks = entries(field(volume, 'adopted', 'bricks'));
  const strangers = bricks.flatMap((brick): readonly PlanFault[] => {
    const text = asText(field(brick, 'node'));
    if (text === undefined || names.includes(text.value)) return [];
    const message = `the adopted volume has a brick on ${JSON.stringify(text.value)}, which is no node of this plan`;
    return [{ path: text.path, at: 'value', message, fix: `the nodes are ${names.join(', ')}; add it to them` }];
  });
  return [...strangers, ...checkAdoptedLayout(volume, bricks.length)];
}

function checkAdoptedLayout(volume: DraftItem, bricks: number): readonly PlanFault[] {
  const request = readLayoutRequest(volume);
  const layout = field(volume, 'layout');
  const isPlain = LAYOUTS.some((name) => name === layout.value);
  if (request === undefined || bricks === 0) return [];
  if (!isPlain) {
    const message = 'an adopted volume has the layout that it has; write it out';
    return [{ path: volume.path, at: 'value', message, fix: `layout is one of ${LAYOUTS.join(', ')}` }];
  }
  const spec = { ...request, layout: layout.value as LayoutName };
  const wrong = layoutFaults(spec)[0]?.message;
  const copies = wrong === undefined ? wantedCopies(spec).length : bricks;
  const message = wrong ?? `its layout has ${copies} copies, and ${bricks} bricks are adopted`;
  if (wrong === undefined && copies === bricks) return [];
  return [{ path: layout.path, at: 'value', message, fix: 'write it anew with: holdfast plan adopt' }];
}

/** Undefined when a field is wrong by itself: the schema tells that, and arithmetic would only repeat it. */
function readLayoutRequest(volume: DraftItem): LayoutRequest | undefined {
  const wanted = Object.entries(LAYOUT_FIELDS).flatMap(([name, isFit]) => {
    const { value } = field(volume, name);
    return value === undefined ? [] : [{ name, value, isFit: isFit(value) }];
  });
  if (wanted.some(({ isFit }) => !isFit)) return undefined;
  const fields = Object.fromEntries(wanted.map(({ name, value }) => [name, value]));
  return { ...fields, allowSplitBrain: field(volume, 'allowSplitBrain').value === true };
}

const LAYOUT_FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  layout: isLayoutWord,
  replicas: isReplicaCount,
  distribution: isCount,
  disperseData: isCount,
  redundancy: isCount,
  shard: (value) => typeof value === 'boolean' || typeof value === 'string',
};

/** What does not go with the engine, and mounts on nodes that a local volume is not on. */
function checkEngine(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const { value: engine = 'gluster' } = field(volume, 'engine');
  if (engine !== 'gluster' && engine !== 'local') return [];
  const text = (name: string) => asText(field(volume, name))?.value;
  const fsType = FILE_SYSTEM_TYPES.find((type) => type === text('fsType'));
  const faults = engineFaults({
    ...{
      engine,
      fsType,
      layout: text('layout') ?? 'single',
      brick: text('brick') === 'directory' ? 'directory' : 'image',
    },
    ...{ shard: field(volume, 'shard').value, profile: text('profile'), adopted: field(volume, 'adopted').value },
    encryption: field(volume, 'encryption').value === true,
    thinProvision: field(volume, 'thinProvision').value === true,
    allowFrom: entries(field(volume, 'allow')).flatMap((item) => asText(item)?.value ?? []),
  });
  const said = faults.map(({ field: name, message }): PlanFault => {
    const { path } = field(volume, name === 'allowFrom' ? 'allow' : name);
    return { path, at: 'value', message: `${name} ${message}`, fix: 'leave it out, or choose another engine' };
  });
  return engine === 'local' ? [...said, ...checkLocalMounts(volume, nodes)] : said;
}

function checkLocalMounts(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const mounted = new Set(mountedOn(volume, nodes));
  const placed = entries(field(volume, 'nodes'))
    .flatMap((item) => asText(item)?.value ?? [])
    .map(nodeNameOf);
  const isElsewhere = placed.length > 0 && [...mounted].some((node) => placed.length > 1 || !placed.includes(node));
  if (mounted.size < 2 && !isElsewhere) return [];
  const { path } = field(volume, 'mount', 'nodes');
  const message = 'a local volume is kept on one node, and can be mounted on that one only';
  return [{ path, at: 'value', message, fix: 'mount it on one node, the one that nodes names; or use engine gluster' }];
}

function noSuchPool(name: string, path: PlanPath, nodes: readonly PlanNodeSeen[]): PlanFault {
  const known = [...new Set(nodes.flatMap((node) => node.pools))].toSorted();
  const meant = nearest(name, known);
  const fix = meant === undefined ? `add a pool ${name} to the nodes` : `did you mean ${meant}?`;
  const only = known.length > 0 ? `, only ${known.join(', ')}` : '';
  return { path, at: 'value', message: `no node of this plan has a pool ${JSON.stringify(name)}${only}`, fix };
}

function checkNodeNames(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const lists = [field(volume, 'mount', 'nodes'), field(volume, 'export', 'nodes'), field(volume, 'nodes')];
  return lists.flatMap((list) => checkNodeList(list, nodes));
}

function checkNodeList(list: DraftItem, nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const names = nodes.map((node) => node.name);
  const seen = new Set<string>();
  return entries(list).flatMap((item): readonly PlanFault[] => {
    const text = asText(item);
    if (text === undefined) return [];
    const name = nodeNameOf(text.value);
    if (seen.has(name)) {
      return [{ path: text.path, at: 'value', message: `${name} is listed twice`, fix: 'remove one of them' }];
    }
    seen.add(name);
    if (names.includes(name)) return [];
    const meant = nearest(name, names);
    const fix = meant === undefined ? `the nodes are ${names.join(', ')}` : `did you mean ${meant}?`;
    return [{ path: text.path, at: 'value', message: `${JSON.stringify(text.value)} is no node of this plan`, fix }];
  });
}

function checkMountPaths(volumes: readonly DraftItem[], nodes: readonly PlanNodeSeen[]): readonly PlanFault[] {
  const first = new Map<string, PlanPath>();
  return volumes.flatMap((volume): readonly PlanFault[] => {
    const path = asText(field(volume, 'mount', 'path'));
    if (path === undefined) return [];
    const faults: PlanFault[] = [...checkSystemDirectory(path)];
    const pool = nodes.flatMap((node) => node.poolPaths).find((poolPath) => overlaps(poolPath, path.value));
    if (pool !== undefined) {
      const message = `${path.value} and the pool at ${pool} lie in each other`;
      faults.push({ path: path.path, at: 'value', message, fix: 'mount the volume outside of the pools' });
    }
    for (const node of new Set(mountedOn(volume, nodes))) {
      const other = first.get(`${node} ${path.value}`);
      first.set(`${node} ${path.value}`, other ?? path.path);
      if (other === undefined) continue;
      const message = `two volumes are mounted at ${path.value} on ${node}`;
      faults.push({ path: path.path, at: 'value', message, fix: 'mount each at its own path', other });
      break;
    }
    return faults;
  });
}

function mountedOn(volume: DraftItem, nodes: readonly PlanNodeSeen[]): readonly string[] {
  const wanted = field(volume, 'mount', 'nodes');
  if (wanted.value === 'all') return nodes.map((node) => node.name);
  return entries(wanted)
    .flatMap((item) => asText(item)?.value ?? [])
    .map(nodeNameOf);
}

function checkSystemDirectory(path: DraftItem): readonly PlanFault[] {
  const text = asText(path);
  if (text === undefined) return [];
  if (!SYSTEM_DIRECTORIES.includes(text.value.slice(1)) && !SYSTEM_TREES.test(text.value)) return [];
  const message = `${text.value} belongs to the machine's own system`;
  return [{ path: text.path, at: 'value', message, fix: 'choose a directory of its own, for example /data' }];
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function checkShares(plan: unknown): readonly PlanFault[] {
  const first = new Map<string, PlanPath>();
  return entries(field({ path: [], value: plan }, 'nfs', 'nfs_volume')).flatMap((share): readonly PlanFault[] => {
    const host = asText(field(share, 'nfs_host'))?.value;
    const path = asText(field(share, 'mount_path'))?.value;
    if (host === undefined || path === undefined) return [];
    const key = `${host.toLowerCase()}:${path}`;
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, share.path);
      return [];
    }
    const message = `Duplicate NFS volume ${host}:${path}`;
    return [{ path: share.path, at: 'value', message, fix: 'remove one of them', other }];
  });
}
