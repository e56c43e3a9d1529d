/** What must be written so that the stored objects are as a plan says. Pure; nothing is ever deleted. */
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import type { PoolSpec, StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { parseQuantity } from '../bytes.ts';
import type { Fault } from '../errors.ts';
import { ATTACHMENT_FINALIZER, VOLUME_FINALIZER } from '../finalizers.ts';
import { ONE_WRITER_MOUNT_HINT, oneWriterFault } from '../nfs-export/beside-one-node.ts';
import type { ChosenLayout } from '../volume/layout.ts';
import { LAYOUT_FIELDS, layoutFields } from '../volume/layout-fields.ts';
import { pieceBytes, profileOf } from '../volume/profile.ts';
import type { ResolvedNode, ResolvedPlan, ResolvedVolume } from './resolve-plan.ts';

/** Name of the one StorageCluster. */
export const CLUSTER_NAME = 'default';
/** Host name of a node as its plan has it, where it is more than the node's name. */
export const HOST_ANNOTATION = 'holdfast.dev/host';

export type PlannedKind = 'StorageNode' | 'StorageCluster' | 'Volume' | 'VolumeAttachmentRecord';

/** One object to be written, or to be left alone because it is as it should be. */
export type PlanWrite = { readonly kind: PlannedKind; readonly name: string } & (
  | { readonly action: 'unchanged' }
  | { readonly action: 'create'; readonly metadata: Metadata; readonly spec: Readonly<Record<string, unknown>> }
  | {
      readonly action: 'update';
      readonly patch: Readonly<Record<string, unknown>>;
      readonly resourceVersion: string | undefined;
    }
);

interface Metadata {
  readonly finalizers?: string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StoredObjects {
  readonly clusters: readonly StorageCluster[];
  readonly nodes: readonly StorageNode[];
  readonly volumes: readonly Volume[];
  readonly copies: readonly VolumeCopy[];
  readonly attachments: readonly VolumeAttachmentRecord[];
}

export interface PlanDiff {
  /** In the order in which they are to be written. */
  readonly writes: readonly PlanWrite[];
  /** Why the plan cannot be carried out on what is there; then nothing may be written. */
  readonly conflicts: readonly Fault[];
}

/**
 * Name of the VolumeAttachmentRecord of a volume on a node. Names of nodes may have dots: without the word between, that of a node
 * `nfs.example.com` would be the name of what exports the volume on a node `example.com`.
 */
export function attachmentName(volume: string, node: string): string {
  return node.includes('.') ? `${volume}.node.${node}` : `${volume}.${node}`;
}

/** Compares a plan with what is stored. */
export function diffPlan(plan: ResolvedPlan, stored: StoredObjects): PlanDiff {
  const conflicts: Fault[] = [];
  const writes = [
    ...plan.nodes.map((node) => diffNode(node, stored, conflicts)),
    ...diffCluster(plan, stored, conflicts),
    ...plan.volumes.map((volume) => diffVolume(volume, stored, conflicts)),
    ...plan.volumes.flatMap((volume) => diffAttachments(volume, stored, conflicts)),
  ];
  return { writes, conflicts };
}

function diffNode(node: ResolvedNode, stored: StoredObjects, conflicts: Fault[]): PlanWrite {
  const id = { kind: 'StorageNode', name: node.name } as const;
  const existing = stored.nodes.find((candidate) => candidate.metadata.name === node.name);
  const addresses = { ip: node.ip, ...(node.internalIp === undefined ? {} : { internalIp: node.internalIp }) };
  const zone = node.zone === undefined ? {} : { zone: node.zone };
  const annotations = node.host === node.name ? {} : { [HOST_ANNOTATION]: node.host };
  if (existing === undefined) {
    const metadata = { labels: node.labels, annotations };
    return { ...id, action: 'create', metadata, spec: { addresses, ...zone, pools: node.pools } };
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    conflicts.push({ field: `node ${node.name}`, message: 'is being removed; apply the plan when it is gone' });
  }
  const pools = mergePools(node, existing, stored.copies, conflicts);
  const wanted = { addresses, ...zone, pools };
  const had = { addresses: existing.spec.addresses, ...pick(existing.spec, 'zone'), pools: existing.spec.pools };
  const isSameMeta =
    contains(existing.metadata.labels, node.labels) && contains(existing.metadata.annotations, annotations);
  if (isSameMeta && isSame(wanted, had)) return { ...id, action: 'unchanged' };
  return {
    ...id,
    action: 'update',
    resourceVersion: existing.metadata.resourceVersion,
    patch: {
      metadata: { labels: node.labels, annotations },
      spec: { addresses: { internalIp: null, ...addresses }, zone: node.zone ?? null, pools },
    },
  };
}

/** Pools of the plan, and those that the node has beside them. A pool that holds copies stays where it is. */
function mergePools(
  node: ResolvedNode,
  existing: StorageNode,
  copies: readonly VolumeCopy[],
  conflicts: Fault[],
): readonly PoolSpec[] {
  for (const pool of node.pools) {
    const had = existing.spec.pools.find((candidate) => candidate.name === pool.name);
    if (had === undefined || (had.path === pool.path && had.device === pool.device)) continue;
    const held = copies.filter((copy) => copy.spec.node === node.name && copy.spec.pool === pool.name).length;
    if (held === 0) continue;
    const message =
      `holds ${held} ${held === 1 ? 'copy' : 'copies'} at ${describePool(had)} and cannot be moved to ` +
      `${describePool(pool)}; keep the pool as it is, or add another one`;
    conflicts.push({ field: `node ${node.name} pool ${pool.name}`, message });
  }
  const named = new Set(node.pools.map((pool) => pool.name));
  return [...node.pools, ...existing.spec.pools.filter((pool) => !named.has(pool.name))];
}

function diffCluster(plan: ResolvedPlan, stored: StoredObjects, conflicts: Fault[]): readonly PlanWrite[] {
  if (plan.nodes.length === 0) return [];
  const id = { kind: 'StorageCluster', name: CLUSTER_NAME } as const;
  const existing = stored.clusters.find((cluster) => cluster.metadata.name === CLUSTER_NAME);
  const had = existing?.spec.nodes ?? [];
  const nodes = [...had, ...plan.nodes.map((node) => node.name).filter((name) => !had.includes(name))];
  const tls = tlsChange(plan, stored, conflicts);
  if (existing === undefined) return [{ ...id, action: 'create', metadata: {}, spec: { nodes, ...tls } }];
  const spec = { ...(nodes.length === had.length ? {} : { nodes }), ...tls };
  if (Object.keys(spec).length === 0) return [{ ...id, action: 'unchanged' }];
  return [{ ...id, action: 'update', resourceVersion: existing.metadata.resourceVersion, patch: { spec } }];
}

/** Once there are volumes a change interrupts them: that is asked for by name, not found out from a plan. */
function tlsChange(
  { isEncrypted }: ResolvedPlan,
  stored: StoredObjects,
  conflicts: Fault[],
): { readonly tls?: { readonly isEnabled: boolean } } {
  const had = stored.clusters.some(
    ({ metadata, spec }) => metadata.name === CLUSTER_NAME && spec.tls?.isEnabled === true,
  );
  if (isEncrypted === undefined || isEncrypted === had) return {};
  if (stored.volumes.length === 0) return { tls: { isEnabled: isEncrypted } };
  const command = `holdfast cluster tls ${isEncrypted ? 'enable' : 'disable'}`;
  const message = `is ${had} and the plan says ${isEncrypted}; the change interrupts every volume, make it with: ${command}`;
  conflicts.push({ field: 'tls enabled', message });
  return {};
}

type FixedFields = ChosenLayout &
  Pick<ResolvedVolume, 'pool' | 'brick' | 'engine' | 'fsType' | 'encryption' | 'thinProvision'>;

function diffVolume(volume: ResolvedVolume, stored: StoredObjects, conflicts: Fault[]): PlanWrite {
  const id = { kind: 'Volume', name: volume.name } as const;
  const existing = stored.volumes.find((candidate) => candidate.metadata.name === volume.name);
  if (existing === undefined) {
    return { ...id, action: 'create', metadata: { finalizers: [VOLUME_FINALIZER] }, spec: volumeSpec(volume) };
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    conflicts.push({ field: `volume ${volume.name}`, message: 'is being deleted; apply the plan when it is gone' });
    return { ...id, action: 'unchanged' };
  }
  const { pool, brick, engine } = existing.spec;
  const held: FixedFields = { pool, brick, engine, ...settled(existing.spec), ...layoutFields(existing.spec) };
  const asked: FixedFields = { ...volume, ...settled(volume) };
  for (const name of ['engine', 'pool', 'brick', 'fsType', 'encryption', 'thinProvision', ...LAYOUT_FIELDS] as const) {
    const [had, wanted] = [held[name], asked[name]];
    if (had === wanted) continue;
    const message = `is ${had} and the plan says ${wanted}; this version does not change that, keep ${had} in the plan`;
    conflicts.push({ field: `volume ${volume.name} ${name}`, message });
  }
  const spec = {
    ...(isSame(existing.spec.allowFrom ?? [], volume.allowFrom) ? {} : { allowFrom: volume.allowFrom }),
    ...adoption(volume, existing, conflicts),
    ...growth(volume, existing, conflicts),
    ...profileChange(volume, existing, conflicts),
  };
  if (Object.keys(spec).length === 0) return { ...id, action: 'unchanged' };
  const patch = { spec };
  return { ...id, action: 'update', resourceVersion: existing.metadata.resourceVersion, patch };
}

/** What they are where nobody says it. */
function settled({
  fsType = 'xfs',
  encryption = false,
  thinProvision = false,
}: Pick<Volume['spec'], 'fsType' | 'encryption' | 'thinProvision'>): Pick<
  FixedFields,
  'fsType' | 'encryption' | 'thinProvision'
> {
  return { fsType, encryption, thinProvision };
}

/** What is adopted stays what it is; only whether it takes Holdfast's options on may be said later. */
function adoption(volume: ResolvedVolume, { spec }: Volume, conflicts: Fault[]): { readonly adopted?: object } {
  const { takesOptions: takes = false, ...wanted } = volume.adopted ?? {};
  const { takesOptions: took = false, isRemovedFromEngine: _, ...had } = spec.adopted ?? {};
  const isSameKind = (volume.adopted === undefined) === (spec.adopted === undefined);
  if (!isSameKind || !isSame(wanted, had)) {
    const message = isSameKind
      ? 'is another volume of the engine than the plan says; forget it first: holdfast volume delete'
      : `is ${spec.adopted === undefined ? 'not ' : ''}an adopted volume, and the plan says otherwise`;
    conflicts.push({ field: `volume ${volume.name} adopted`, message });
  }
  return takes === took ? {} : { adopted: { takesOptions: takes ? true : null } };
}

/** Whether there is room for it is found out by the controller, which keeps the size that holds until there is. */
function growth({ name, size }: ResolvedVolume, { spec }: Volume, conflicts: Fault[]): { readonly size?: string } {
  if (parseQuantity(size) > parseQuantity(spec.size)) return { size };
  if (parseQuantity(size) < parseQuantity(spec.size)) {
    const message = `is ${spec.size} and the plan says ${size}; volumes grow and never shrink, keep ${spec.size} in the plan`;
    conflicts.push({ field: `volume ${name} size`, message });
  }
  return {};
}

function profileChange(
  volume: ResolvedVolume,
  { spec }: Volume,
  conflicts: Fault[],
): { readonly profile?: string | null } {
  const { name, profile } = volume;
  if (profile === spec.profile) return {};
  if (pieceBytes(spec) !== pieceBytes({ shard: spec.shard, profile })) {
    const message = `is ${profileOf(spec)} and the plan says ${profileOf(volume)}; large-files holds from the creation of a volume on, or not at all`;
    conflicts.push({ field: `volume ${name} profile`, message });
    return {};
  }
  return { profile: profile ?? null };
}

/** The spec of a new Volume. */
export function volumeSpec(
  volume: Omit<ResolvedVolume, 'name' | 'mounts' | 'exports'>,
): Readonly<Record<string, unknown>> {
  return {
    size: volume.size,
    engine: volume.engine,
    ...layoutFields(volume),
    pool: volume.pool,
    brick: volume.brick,
    ...(volume.fsType === undefined ? {} : { fsType: volume.fsType }),
    ...(volume.encryption === true ? { encryption: true } : {}),
    ...(volume.thinProvision === true ? { thinProvision: true } : {}),
    ...(volume.share === undefined ? {} : { share: volume.share }),
    ...(volume.nodes === undefined ? {} : { nodes: volume.nodes }),
    ...(volume.profile === undefined ? {} : { profile: volume.profile }),
    ...(volume.allowFrom.length === 0 ? {} : { allowFrom: volume.allowFrom }),
    ...(volume.allowSplitBrain ? { allowSplitBrain: true } : {}),
    ...(volume.adopted === undefined ? {} : { adopted: volume.adopted }),
  };
}

function diffAttachments(volume: ResolvedVolume, stored: StoredObjects, conflicts: Fault[]): readonly PlanWrite[] {
  return volume.mounts.map(({ node, path }): PlanWrite => {
    const id = { kind: 'VolumeAttachmentRecord', name: attachmentName(volume.name, node) } as const;
    const existing = stored.attachments.find((record) => record.metadata.name === id.name);
    const spec = { volume: volume.name, node, mountPath: path, isReadOnly: false };
    const field = `volume ${volume.name} mount on ${node}`;
    if (existing === undefined) {
      const fault = oneWriterFault(stored.attachments, volume.name, node);
      if (fault !== undefined) conflicts.push({ field, message: `${fault}; ${ONE_WRITER_MOUNT_HINT}` });
      return { ...id, action: 'create', metadata: { finalizers: [ATTACHMENT_FINALIZER] }, spec };
    }
    if (existing.metadata.deletionTimestamp !== undefined) {
      conflicts.push({ field, message: 'is being unmounted; apply the plan when that is done' });
    } else if (existing.spec.mountPath !== path) {
      const message = `is at ${existing.spec.mountPath} and the plan says ${path}; unmount it there first`;
      conflicts.push({ field, message });
    }
    return { ...id, action: 'unchanged' };
  });
}

function describePool(pool: PoolSpec): string {
  return pool.device === undefined ? pool.path : `${pool.path} (${pool.device})`;
}

function pick<T extends object, K extends keyof T>(from: T, key: K): Partial<Pick<T, K>> {
  return from[key] === undefined ? {} : ({ [key]: from[key] } as Pick<T, K>);
}

function contains(
  had: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => had?.[key] === value);
}

/** Deep equality of plain data; a key whose value is undefined counts as missing. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const read = (from: object, key: string) => (from as Readonly<Record<string, unknown>>)[key];
  return [...keys].every((key) => isSame(read(a, key), read(b, key)));
}
