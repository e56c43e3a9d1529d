/** What a checked plan means: machines, volumes and mounts with every default filled in. */
import type { PlanFile, PlanNode, PlanVolume } from '../../schemas/plan-file.ts';
import type { Share, VolumeProfile } from '../../schemas/volume.ts';
import type { ShareAddress } from '../nfs/share.ts';
import { chooseClients, type ExportTerms } from '../nfs-export/export-wish.ts';
import { type BrickKind, type EngineName, type FileSystemType, localLayout } from '../volume/engines.ts';
import { type ChosenLayout, decideLayout, type LayoutDecision, type LayoutRequest } from '../volume/layout.ts';
import { LAYOUTS } from '../volume/layout-faults.ts';
import { layoutFields } from '../volume/layout-fields.ts';
import { asText, field } from './draft.ts';
import { nodeNameOf } from './node-name.ts';
import { DEFAULT_POOL } from './volume-rules.ts';

export interface ResolvedNode {
  readonly name: string;
  /** The host name as the plan has it; the node's name is its first label. */
  readonly host: string;
  readonly ip: string;
  readonly internalIp?: string;
  readonly zone?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pools: readonly { readonly name: string; readonly path: string; readonly device?: string }[];
}

export interface PlannedExport extends ExportTerms {
  readonly node: string;
}

export interface ResolvedVolume extends ChosenLayout {
  readonly name: string;
  readonly size: string;
  readonly pool: string;
  readonly engine: EngineName;
  readonly brick: BrickKind;
  readonly fsType?: FileSystemType;
  readonly encryption?: boolean;
  readonly thinProvision?: boolean;
  /** Engine nfs. */
  readonly share?: Share;
  /** Nodes that copies may be placed on; all when left out. */
  readonly nodes?: readonly string[];
  readonly profile?: VolumeProfile;
  readonly allowFrom: readonly string[];
  readonly allowSplitBrain: boolean;
  readonly mounts: readonly { readonly node: string; readonly path: string }[];
  /** Nodes that serve it by NFS, and to whom. */
  readonly exports?: readonly PlannedExport[];
  readonly adopted?: NonNullable<PlanVolume['adopted']>;
}

export interface ResolvedPlan {
  readonly nodes: readonly ResolvedNode[];
  readonly volumes: readonly ResolvedVolume[];
  /** Whether storage traffic is to be encrypted; undefined where the plan does not say. */
  readonly isEncrypted?: boolean;
  /** Shares of file servers that somebody else keeps, each the whole of it. */
  readonly nfsShares: readonly ShareAddress[];
  /** What the reader should know although nothing is wrong. */
  readonly notices: readonly string[];
}

/** Resolves a plan that passed every rule. */
export function resolvePlan(plan: PlanFile): ResolvedPlan {
  const nodes = (plan.storage?.nodes ?? []).map(resolveNode);
  const resolved = (plan.volumes ?? []).map((volume) => resolveVolume(volume, nodes));
  return {
    nodes,
    volumes: resolved.map(({ volume }) => volume),
    ...(plan.tls === undefined ? {} : { isEncrypted: plan.tls.enabled }),
    nfsShares: (plan.nfs?.nfs_volume ?? []).map((share) => ({ server: share.nfs_host, path: share.mount_path })),
    notices: [...resolved.flatMap(({ notes }) => notes), ...noticesOf(plan)],
  };
}

function resolveNode(node: PlanNode): ResolvedNode {
  return {
    name: nodeNameOf(node.host),
    host: node.host,
    ip: node.ip,
    ...(node.internalip === undefined ? {} : { internalIp: node.internalip }),
    ...(node.zone === undefined ? {} : { zone: node.zone }),
    labels: node.labels ?? {},
    pools: (node.pools ?? []).map(({ name, path, device }) => ({
      name,
      path,
      ...(device === undefined ? {} : { device }),
    })),
  };
}

function resolveVolume(
  volume: PlanVolume,
  nodes: readonly ResolvedNode[],
): { readonly volume: ResolvedVolume; readonly notes: readonly string[] } {
  const pool = volume.pool ?? DEFAULT_POOL;
  const withPool = nodes.filter((node) => node.pools.some((candidate) => candidate.name === pool));
  const { mount, allowSplitBrain = false } = volume;
  const decision =
    volume.adopted === undefined ? decideLayout(wishedLayout(volume), withPool.length) : foundLayout(volume);
  if (!decision.ok) throw new Error(`resolvePlan was given a plan that breaks a rule: ${decision.message}`);
  const mountNodes = mount === undefined ? [] : mount.nodes === 'all' ? nodes.map((node) => node.name) : mount.nodes;
  return {
    volume: {
      name: volume.name,
      size: volume.size,
      ...decision.chosen,
      pool,
      ...engineOf(volume, mountNodes),
      brick: volume.adopted === undefined ? (volume.brick ?? 'image') : 'directory',
      ...(volume.adopted === undefined ? {} : { adopted: volume.adopted }),
      ...(volume.profile === undefined ? {} : { profile: volume.profile }),
      allowFrom: volume.allow ?? [],
      allowSplitBrain,
      mounts: mountNodes.map((node) => ({ node: nodeNameOf(node), path: mount?.path ?? '' })),
      ...exportsOf(volume, nodes),
    },
    notes: decision.notes.map((note) => `volume ${volume.name}: ${note}`),
  };
}

function exportsOf(volume: PlanVolume, nodes: readonly ResolvedNode[]): Pick<ResolvedVolume, 'exports'> {
  const { export: wish } = volume;
  if (wish === undefined) return {};
  const { beyondAllowed: mayGoBeyond = false, readOnly: isReadOnly = false } = wish;
  const chosen = chooseClients({
    ...{ to: wish.to, allowFrom: volume.allow ?? [], isListUnknown: volume.adopted !== undefined, mayGoBeyond },
    nodeAddresses: nodes.flatMap(({ ip, internalIp }) => [ip, ...(internalIp === undefined ? [] : [internalIp])]),
  });
  if (!chosen.ok) throw new Error(`resolvePlan was given a plan that breaks a rule: ${chosen.message}`);
  const squash = wish.rootSquash === true ? 'root' : 'none';
  const names = wish.nodes === 'all' ? nodes.map((node) => node.name) : wish.nodes.map(nodeNameOf);
  const terms = { clients: chosen.clients, isReadOnly, squash, mayGoBeyond } as const;
  return { exports: names.map((node) => ({ node, ...terms })) };
}

/** The layout that an adopted volume was found with: nothing is decided about it any more. */
function foundLayout({ layout, ...volume }: PlanVolume): LayoutDecision {
  const found = LAYOUTS.find((name) => name === layout);
  if (found === undefined) return { ok: false, message: 'an adopted volume without a layout', hint: '' };
  return { ok: true, chosen: layoutFields({ ...volume, layout: found }), notes: [] };
}

function wishedLayout(volume: PlanVolume): LayoutRequest {
  const request = requestOf(volume);
  return volume.engine === 'local' ? localLayout(request) : request;
}

/** A local volume is placed where it is to be mounted. */
function engineOf(
  { engine = 'gluster', fsType, encryption, thinProvision, nodes }: PlanVolume,
  mountNodes: readonly string[],
): Pick<ResolvedVolume, 'engine' | 'fsType' | 'encryption' | 'thinProvision' | 'nodes'> {
  const places = nodes ?? (engine === 'local' && mountNodes.length > 0 ? mountNodes : undefined);
  return {
    engine,
    ...(fsType === undefined ? {} : { fsType }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(thinProvision === undefined ? {} : { thinProvision }),
    ...(places === undefined ? {} : { nodes: places.map(nodeNameOf) }),
  };
}

function requestOf(volume: PlanVolume): LayoutRequest {
  const names = [
    'layout',
    'replicas',
    'distribution',
    'disperseData',
    'redundancy',
    'shard',
    'allowSplitBrain',
  ] as const;
  return Object.fromEntries(names.flatMap((name) => (volume[name] === undefined ? [] : [[name, volume[name]]])));
}

function noticesOf(plan: PlanFile): readonly string[] {
  const { storage, nfs: _nfs, volumes: _volumes, ssh: _ssh, tls: _tls, controller: _controller, ...rest } = plan;
  const { defaults: _defaults, networks: _networks, ...others } = rest;
  const ignored = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const nodes = storage?.nodes ?? [];
  const tainted = nodes.filter((node) => (node.taints ?? []).length > 0 || node.kubelet !== undefined);
  return [
    ...ignored.toSorted().map((name) => (name === 'cluster' ? aboutCluster(plan) : aboutIgnored(name))),
    ...tainted.map(
      (node) => `${node.host}: taints and kubelet options belong to the Kubernetes node and are not set by Holdfast`,
    ),
  ];
}

function aboutIgnored(section: string): string {
  return `section ${section} says how Kubernetes is installed and is not used by Holdfast`;
}

/** Of Kismatic's section cluster some is used: see install/ssh-login.ts and plan/kismatic-allow-list.ts. */
function aboutCluster({ cluster, ssh }: PlanFile): string {
  const root = { path: [], value: cluster };
  const used = [
    ...(ssh === undefined && field(root, 'ssh').value !== undefined ? ['ssh (how to log in on the machines)'] : []),
    ...(asText(field(root, 'networking', 'pod_cidr_block')) !== undefined
      ? ['networking.pod_cidr_block (who may mount what "kismatic volume add" makes)']
      : []),
  ];
  if (used.length === 0) return aboutIgnored('cluster');
  return `of section cluster only ${used.join(' and ')} is used by Holdfast`;
}
