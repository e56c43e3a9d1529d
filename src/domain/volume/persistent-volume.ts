/** How a volume is offered to claims: what may be said about its PersistentVolume, and the object itself. */
import type { PersistentVolume } from '../../schemas/kubernetes.ts';

/** Name of the CSI driver, as pods and PersistentVolumes call it. */
export const CSI_DRIVER = 'csi.holdfast.dev';
/** Topology key of the CSI driver: the name of the node, as Holdfast knows it. */
export const NODE_TOPOLOGY = 'topology.holdfast.dev/node';
/** Class of a PersistentVolume when nothing is said; Kismatic's claims ask for it. */
export const DEFAULT_STORAGE_CLASS = 'kismatic';
/** Where the class stood before spec.storageClassName did; claims of that time still name it there. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
/** UID of the volume that a PersistentVolume is for: a later volume of the same name is another. */
export const VOLUME_UID_ANNOTATION = 'holdfast.dev/volume-uid';
/** On a Volume that was added by hand: what its PersistentVolume is to be, and the wish it was made for. */
export const STATIC_VOLUME_ANNOTATION = 'holdfast.dev/static-volume';
/** How Holdfast's external provisioner knows what it may delete when the claim goes. */
const PROVISIONED_BY_ANNOTATION = 'pv.kubernetes.io/provisioned-by';

/** As Kubernetes spells them; it takes no other spelling. */
export const ACCESS_MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'] as const;
export const RECLAIM_POLICIES = ['Retain', 'Recycle', 'Delete'] as const;

export type AccessMode = (typeof ACCESS_MODES)[number];
export type ReclaimPolicy = (typeof RECLAIM_POLICIES)[number];

/** What a PersistentVolume says beyond its volume. */
export interface Registration {
  readonly storageClass: string;
  readonly accessModes: readonly AccessMode[];
  readonly reclaimPolicy: ReclaimPolicy;
  /** Keeps the PersistentVolume for the claim of this name; any claim of its class may have it when left out. */
  readonly claim?: { readonly namespace: string; readonly name: string };
}

export type RegistrationReading =
  | { readonly ok: true; readonly registration: Registration }
  | { readonly ok: false; readonly faults: readonly string[] };

/** RFC 1123 subdomain, as every name of a StorageClass is. */
const CLASS_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Reads what a person wrote; the sentences are Kismatic's where it has any (apprenda/kismatic, pkg/install/validate.go). */
export function readRegistration(written: {
  readonly storageClass: string;
  readonly accessModes: readonly string[];
  readonly reclaimPolicy: string;
}): RegistrationReading {
  const { storageClass } = written;
  const reclaimPolicy = RECLAIM_POLICIES.find((policy) => policy === written.reclaimPolicy);
  const modes = written.accessModes.map((text) => ({ text, mode: ACCESS_MODES.find((mode) => mode === text) }));
  const accessModes = [...new Set(modes.flatMap(({ mode }) => mode ?? []))];
  const faults = [
    ...(reclaimPolicy === undefined ? [notOneOf('reclaim policy', written.reclaimPolicy, RECLAIM_POLICIES)] : []),
    ...(modes.length === 0 ? ['Access mode was not provided'] : []),
    ...modes.flatMap(({ text, mode }) => (mode === undefined ? [notOneOf('access mode', text, ACCESS_MODES)] : [])),
    ...(storageClass.length <= 253 && CLASS_NAME.test(storageClass)
      ? []
      : [`${JSON.stringify(storageClass.slice(0, 60))} is not the name of a storage class: a-z, 0-9, "-" and "."`]),
  ];
  if (faults.length > 0 || reclaimPolicy === undefined) return { ok: false, faults };
  return { ok: true, registration: { storageClass, accessModes, reclaimPolicy } };
}

function notOneOf(what: string, text: string, valid: readonly string[]): string {
  const plural = what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${JSON.stringify(text.slice(0, 60))} is not a valid ${what}. Valid ${plural} are: [${valid.join(' ')}]`;
}

/** What a PersistentVolume needs to know of its volume. */
export interface OfferedVolume {
  readonly name: string;
  readonly uid: string;
  readonly size: string;
  /** The only node that the volume can be used on; every node when left out. */
  readonly onlyNode?: string;
  /** It is a device, and no file system. */
  readonly isBlock?: boolean;
}

/** Pods on several nodes cannot share what is on one. */
function modesOn({ onlyNode }: OfferedVolume, modes: readonly AccessMode[]): readonly AccessMode[] {
  if (onlyNode === undefined) return modes;
  return [...new Set(modes.map((mode) => (mode === 'ReadWriteMany' ? 'ReadWriteOnce' : mode)))];
}

function affinityTo(node: string): Record<string, unknown> {
  const expression = { key: NODE_TOPOLOGY, operator: 'In', values: [node] };
  return { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } } };
}

/** The PersistentVolume of a volume, to be created. */
export function persistentVolumeOf(
  volume: OfferedVolume,
  registration: Registration,
): { readonly metadata: { readonly name: string } & Record<string, unknown>; readonly spec: Record<string, unknown> } {
  const { storageClass, accessModes, reclaimPolicy, claim } = registration;
  return {
    metadata: {
      name: volume.name,
      labels: { 'app.kubernetes.io/managed-by': 'holdfast', 'holdfast.dev/volume': volume.name },
      annotations: {
        [CLASS_ANNOTATION]: storageClass,
        [VOLUME_UID_ANNOTATION]: volume.uid,
        ...(reclaimPolicy === 'Delete' ? { [PROVISIONED_BY_ANNOTATION]: CSI_DRIVER } : {}),
      },
    },
    spec: {
      capacity: { storage: volume.size },
      accessModes: modesOn(volume, accessModes),
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass,
      volumeMode: volume.isBlock === true ? 'Block' : 'Filesystem',
      csi: { driver: CSI_DRIVER, volumeHandle: volume.name },
      ...(volume.onlyNode === undefined ? {} : affinityTo(volume.onlyNode)),
      ...(claim === undefined ? {} : { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim } }),
    },
  };
}

/** True for a PersistentVolume that leads to the volume of this name. */
export function leadsTo(persistentVolume: PersistentVolume, volume: string): boolean {
  const { csi } = persistentVolume.spec;
  return csi?.driver === CSI_DRIVER && csi.volumeHandle === volume;
}

/** True for the PersistentVolume of this very volume, which is not on its way out. */
export function isRegistrationOf(
  persistentVolume: PersistentVolume,
  { name, uid }: { readonly name: string; readonly uid: string },
): boolean {
  const { annotations, deletionTimestamp } = persistentVolume.metadata;
  return (
    leadsTo(persistentVolume, name) && annotations?.[VOLUME_UID_ANNOTATION] === uid && deletionTimestamp === undefined
  );
}
