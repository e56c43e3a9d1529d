/** The plan of what is stored: what `diffPlan` finds nothing to change in. Pure. */
import type { PlanFile, PlanNode, PlanVolume } from '../../schemas/plan-file.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { layoutFields } from '../volume/layout-fields.ts';
import { HOST_ANNOTATION, type StoredObjects } from './diff-plan.ts';
import { exportNfsExports } from './export-nfs-exports.ts';
import { exportShares } from './export-shares.ts';
import { nodeNameOf } from './node-name.ts';
import { DEFAULT_POOL } from './volume-rules.ts';

export interface ExportedPlan {
  readonly plan: PlanFile;
  /** What is stored and a plan has no words for, one sentence each. */
  readonly notices: readonly string[];
}

/** Writes the plan. Whatever is being deleted is left out. */
export function exportPlan(
  stored: Pick<StoredObjects, 'clusters' | 'nodes' | 'volumes' | 'attachments'>,
): ExportedPlan {
  const byName = (a: { metadata: { name?: string | undefined } }, b: typeof a) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  const kept = <T extends StorageNode | Volume | VolumeAttachmentRecord>(list: readonly T[]) =>
    list.filter(({ metadata }) => metadata.deletionTimestamp === undefined).toSorted(byName);
  const nodes = kept(stored.nodes);
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  const attachments = kept(stored.attachments).filter(({ spec }) => names.has(spec.node));
  const all = kept(stored.volumes);
  const shares = exportShares(all, attachments);
  const volumes = all
    .filter(({ spec }) => spec.engine !== 'nfs')
    .map((volume) => exportVolume(volume, { attachments, nodes: names.size }));
  const isEncrypted = stored.clusters.some(({ spec }) => spec.tls?.isEnabled === true);
  const leaving = [...stored.nodes, ...stored.volumes].filter(
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  return {
    plan: {
      storage: { expected_count: nodes.length, nodes: nodes.map(exportNode) },
      ...(shares.nfsVolumes.length === 0 ? {} : { nfs: { nfs_volume: [...shares.nfsVolumes] } }),
      ...(isEncrypted ? { tls: { enabled: true } } : {}),
      ...(volumes.length === 0 ? {} : { volumes: volumes.map(({ volume }) => volume) }),
    },
    notices: [
      ...leaving.map(({ kind, metadata }) => `${kind} ${metadata.name ?? ''} is being deleted and left out`),
      ...nodes
        .filter(({ spec }) => spec.isCordoned === true)
        .map(({ metadata }) => `node ${metadata.name ?? ''} is cordoned, which a plan does not say`),
      ...volumes.flatMap(({ notices }) => notices),
      ...shares.notices,
    ],
  };
}

function exportNode({ metadata, spec }: StorageNode): PlanNode {
  const { name = '', labels = {}, annotations } = metadata;
  const host = annotations?.[HOST_ANNOTATION] ?? name;
  return {
    // An annotation that names another machine is somebody else's.
    host: nodeNameOf(host) === name ? host : name,
    ip: spec.addresses.ip,
    ...(spec.addresses.internalIp === undefined ? {} : { internalip: spec.addresses.internalIp }),
    ...(spec.zone === undefined ? {} : { zone: spec.zone }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(spec.pools.length === 0 ? {} : { pools: spec.pools }),
  };
}

interface MountsKnown {
  readonly attachments: readonly VolumeAttachmentRecord[];
  /** How many nodes the plan has. */
  readonly nodes: number;
}

function exportVolume(
  { metadata, spec }: Volume,
  known: MountsKnown,
): { readonly volume: PlanVolume; readonly notices: readonly string[] } {
  const { name = '' } = metadata;
  const mounts = exportMounts(name, known);
  const exports = exportNfsExports(name, known);
  const { allowFrom = [], zones = [] } = spec;
  const zoneNotice = `volume ${name} may use only the zones ${zones.join(', ')}, which a plan does not say`;
  return {
    volume: {
      name,
      size: spec.size,
      ...exportEngine(spec),
      ...layoutFields(spec),
      ...(spec.brick === 'image' || spec.adopted !== undefined ? {} : { brick: spec.brick }),
      ...(spec.profile === undefined ? {} : { profile: spec.profile }),
      ...(spec.pool === DEFAULT_POOL ? {} : { pool: spec.pool }),
      ...(allowFrom.length === 0 ? {} : { allow: allowFrom }),
      ...(spec.allowSplitBrain === true ? { allowSplitBrain: true } : {}),
      ...exportAdopted(spec),
      ...mounts.mount,
      ...exports.fields,
    },
    notices: [...mounts.notices, ...exports.notices, ...(zones.length === 0 ? [] : [zoneNotice])],
  };
}

type EngineFields = 'engine' | 'fsType' | 'encryption' | 'thinProvision' | 'nodes';

function exportEngine(spec: Volume['spec']): Pick<PlanVolume, EngineFields> {
  const { engine, fsType, encryption, thinProvision, nodes } = spec;
  return {
    ...(engine === 'gluster' ? {} : { engine }),
    ...(fsType === undefined ? {} : { fsType }),
    ...(encryption === true ? { encryption } : {}),
    ...(thinProvision === true ? { thinProvision } : {}),
    ...(nodes === undefined ? {} : { nodes }),
  };
}

/** How it is deleted is no part of a plan. */
function exportAdopted({ adopted }: Volume['spec']): Pick<PlanVolume, 'adopted'> {
  if (adopted === undefined) return {};
  const { isRemovedFromEngine: _, ...rest } = adopted;
  return { adopted: rest };
}

/** A plan mounts a volume at one path; mounts elsewhere stay as they are when it is applied. */
function exportMounts(
  volume: string,
  known: MountsKnown,
): { readonly mount: Pick<PlanVolume, 'mount'>; readonly notices: readonly string[] } {
  const records = known.attachments
    .map(({ spec }) => spec)
    .filter((spec) => spec.volume === volume && spec.export === undefined);
  const path = records[0]?.mountPath;
  if (path === undefined) return { mount: {}, notices: [] };
  const nodes = records.filter((spec) => spec.mountPath === path).map((spec) => spec.node);
  return {
    mount: { mount: { path, nodes: nodes.length === known.nodes ? 'all' : nodes } },
    notices: records
      .filter((spec) => spec.mountPath !== path)
      .map(
        (spec) =>
          `volume ${volume} is also mounted at ${spec.mountPath} on ${spec.node}; a plan has one path per volume`,
      ),
  };
}
