/**
 * What must be written so that each share of a plan's section nfs is a volume, and a PersistentVolume once its size is known.
 * As apprenda/kismatic has it: pvN, class kismatic, ReadWriteMany, Retain, as large as the file system behind it. Pure.
 */
import type { PersistentVolume } from '../../schemas/kubernetes.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { Fault } from '../errors.ts';
import { VOLUME_FINALIZER } from '../finalizers.ts';
import { mountSource, type ShareAddress } from '../nfs/share.ts';
import { isUsable } from '../node/is-usable.ts';
import { noNfsClient } from '../volume/decide-share.ts';
import { phaseOf, stateMessage } from '../volume/describe-volume.ts';
import {
  DEFAULT_STORAGE_CLASS,
  isRegistrationOf,
  persistentVolumeOf,
  type Registration,
  STATIC_VOLUME_ANNOTATION,
} from '../volume/persistent-volume.ts';
import type { PlanWrite } from './diff-plan.ts';
import type { ResolvedPlan } from './resolve-plan.ts';

/** The PersistentVolume of a share, to be created or to be left alone. */
export type RegistrationWrite = { readonly kind: 'PersistentVolume'; readonly name: string } & (
  | { readonly action: 'unchanged' }
  | { readonly action: 'create'; readonly object: ReturnType<typeof persistentVolumeOf> }
);

export interface StoredShares {
  readonly volumes: readonly Volume[];
  readonly nodes: readonly StorageNode[];
  readonly persistentVolumes: readonly PersistentVolume[];
}

export interface ShareDiff {
  readonly writes: readonly (PlanWrite | RegistrationWrite)[];
  readonly conflicts: readonly Fault[];
  /** What is still to come of a share, one sentence each. */
  readonly notices: readonly string[];
}

const REGISTRATION: Registration = {
  storageClass: DEFAULT_STORAGE_CLASS,
  accessModes: ['ReadWriteMany'],
  reclaimPolicy: 'Retain',
};
/** Stands on the volume until the file server has told its own; no PersistentVolume ever has it. */
const SIZE_BEFORE_KNOWN = '1Gi';
const THEN = 'its PersistentVolume is registered when the plan is applied again after that';

/** Compares the shares of a plan with what is stored: by server and path, whatever the names and the order. */
export function diffShares(plan: Pick<ResolvedPlan, 'nfsShares' | 'volumes'>, stored: StoredShares): ShareDiff {
  const nextName = freeNames([
    ...plan.volumes.map(({ name }) => name),
    ...[...stored.volumes, ...stored.persistentVolumes].map(({ metadata }) => metadata.name ?? ''),
  ]);
  const parts = plan.nfsShares.map((share) => {
    const volume = findShare(share, stored.volumes);
    return volume === undefined ? newShare(share, nextName(), stored) : knownShare(share, volume, stored);
  });
  return {
    writes: parts.flatMap(({ writes }) => writes),
    conflicts: parts.flatMap(({ conflicts }) => conflicts),
    notices: parts.flatMap(({ notices }) => notices),
  };
}

/** True for a volume that is the whole of a share, and so what a plan can say. */
export function isWholeShare({ spec }: Volume): boolean {
  return spec.share !== undefined && spec.share.subDir === undefined;
}

/** Of several that are the same share the one that a plan made, then the first by name: the same one at each look. */
function findShare({ server, path }: ShareAddress, volumes: readonly Volume[]): Volume | undefined {
  const found = volumes.filter((volume) => {
    const { share } = volume.spec;
    return isWholeShare(volume) && share?.path === path && share.server.toLowerCase() === server.toLowerCase();
  });
  const rank = (volume: Volume) => `${isByHand(volume) ? 1 : 0} ${volume.metadata.name ?? ''}`;
  return found.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
}

function isByHand({ metadata }: Volume): boolean {
  return metadata.annotations?.[STATIC_VOLUME_ANNOTATION] !== undefined;
}

/** The lowest number that nobody has, and each only once. */
function freeNames(names: readonly string[]): () => string {
  const taken = new Set(names);
  let number = 0;
  return () => {
    while (taken.has(`pv${number}`)) number += 1;
    const name = `pv${number}`;
    taken.add(name);
    return name;
  };
}

function newShare(share: ShareAddress, name: string, { nodes }: StoredShares): ShareDiff {
  const { server, path } = share;
  const spec = { size: SIZE_BEFORE_KNOWN, engine: 'nfs', layout: 'single', share: { server, path } };
  const isAble = nodes.some((node) => isUsable(node, 'nfs'));
  const why = isAble ? 'its size is asked for' : noNfsClient();
  return {
    writes: [{ kind: 'Volume', name, action: 'create', metadata: { finalizers: [VOLUME_FINALIZER] }, spec }],
    conflicts: [],
    notices: [`share ${mountSource(share)} (volume ${name}): ${why}; ${THEN}`],
  };
}

function knownShare(share: ShareAddress, volume: Volume, { persistentVolumes }: StoredShares): ShareDiff {
  const { name = '', uid = '', deletionTimestamp } = volume.metadata;
  const unchanged: PlanWrite = { kind: 'Volume', name, action: 'unchanged' };
  const about = `share ${mountSource(share)} (volume ${name})`;
  const result = (more: Partial<ShareDiff>): ShareDiff => {
    return { conflicts: [], notices: [], ...more, writes: [unchanged, ...(more.writes ?? [])] };
  };
  if (deletionTimestamp !== undefined) {
    const message = 'is being deleted; apply the plan when it is gone';
    return result({ conflicts: [{ field: about, message }] });
  }
  const registered = persistentVolumes.find(({ metadata }) => metadata.name === name);
  const size = sizeOf(volume);
  const id = { kind: 'PersistentVolume', name } as const;
  if (registered !== undefined) {
    if (isRegistrationOf(registered, { name, uid })) return result({ writes: [{ ...id, action: 'unchanged' }] });
    const message = `a PersistentVolume ${name} that is not for it is in the way; remove it: kubectl delete persistentvolume ${name}`;
    return result({ conflicts: [{ field: about, message }] });
  }
  if (isByHand(volume)) {
    const hint = 'was added by hand, and is registered by the same command with --wait: holdfast volume add';
    return result({ notices: [`${about}: ${hint}`] });
  }
  if (size === undefined) return result({ notices: [`${about}: ${stateMessage(volume)}; ${THEN}`] });
  const object = persistentVolumeOf({ name, uid, size }, REGISTRATION);
  return result({ writes: [{ ...id, action: 'create', object }] });
}

/** As the file server told it; undefined before it has. */
function sizeOf(volume: Volume): string | undefined {
  const { engine, size } = volume.status ?? {};
  return phaseOf(volume) === 'Ready' && engine?.capacityBytes !== undefined ? size : undefined;
}
