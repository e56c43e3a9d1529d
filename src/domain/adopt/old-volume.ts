/** PersistentVolumes of others that can be taken over: static NFS, and the plugin glusterfs that Kubernetes 1.26 removed. Pure. */
import { listAt, textAt, valueAt } from '../manifest/finding.ts';
import { ACCESS_MODES, type AccessMode, CLASS_ANNOTATION } from '../volume/persistent-volume.ts';

/** Where the data of an old PersistentVolume is. */
export type OldSource =
  | { readonly kind: 'nfs'; readonly server: string; readonly path: string; readonly mountOptions: readonly string[] }
  | { readonly kind: 'glusterfs'; readonly volume: string; readonly endpoints: string; readonly namespace: string };

export interface OldVolume {
  readonly name: string;
  readonly size: string;
  readonly storageClass: string;
  readonly accessModes: readonly AccessMode[];
  readonly claim: { readonly namespace: string; readonly name: string };
  readonly source: OldSource;
}

export type OldVolumeReading = { readonly volume: OldVolume } | { readonly reason: string; readonly hint: string };

const NOT_OURS = 'only static NFS volumes (spec.nfs) and those of the plugin glusterfs (spec.glusterfs) can be adopted';

/** Reads a PersistentVolume as the API server has it. */
export function readOldVolume(
  name: string,
  spec: unknown,
  annotations: Readonly<Record<string, string>>,
): OldVolumeReading {
  const namespace = textAt(spec, ['claimRef', 'namespace']);
  const claim = textAt(spec, ['claimRef', 'name']);
  if (namespace === undefined || claim === undefined) {
    return {
      reason: 'no claim is bound to it, so there is nobody to go on with its data',
      hint: 'make its data a volume of its own: docs/how-to/nfs-volumes.md, docs/how-to/adopt-a-pool.md',
    };
  }
  const source = readSource(spec, namespace);
  if ('reason' in source) return source;
  const modes = listAt(spec, ['accessModes']);
  const accessModes = ACCESS_MODES.filter((mode) => modes.includes(mode));
  const size = textAt(spec, ['capacity', 'storage']);
  if (accessModes.length < modes.length || accessModes.length === 0 || size === undefined) {
    return {
      reason: 'its access modes or its size cannot be kept',
      hint: `access modes can be ${ACCESS_MODES.join(', ')}`,
    };
  }
  const storageClass = textAt(spec, ['storageClassName']) ?? annotations[CLASS_ANNOTATION] ?? '';
  return { volume: { name, size, storageClass, accessModes, claim: { namespace, name: claim }, source } };
}

function readSource(
  spec: unknown,
  claimNamespace: string,
): OldSource | { readonly reason: string; readonly hint: string } {
  const plugin = ['nfs', 'glusterfs'].find((each) => valueAt(spec, [each]) !== undefined);
  if (plugin === undefined) return { reason: 'it is neither', hint: NOT_OURS };
  if (valueAt(spec, [plugin, 'readOnly']) === true) {
    return {
      reason: 'it is read-only, which would be lost',
      hint: 'let its pods mount it with readOnly: true, and take readOnly out of a new PersistentVolume',
    };
  }
  const path = textAt(spec, [plugin, 'path']) ?? '';
  if (plugin === 'nfs') {
    const mountOptions = listAt(spec, ['mountOptions']).filter((option) => typeof option === 'string');
    return { kind: 'nfs', server: textAt(spec, ['nfs', 'server']) ?? '', path, mountOptions };
  }
  const volume = path.replace(/^\/+/, '');
  if (volume === '' || volume.includes('/')) {
    return {
      reason: `its path ${JSON.stringify(path)} is not a whole volume of GlusterFS`,
      hint: 'a folder of a volume cannot be adopted',
    };
  }
  const namespace = textAt(spec, ['glusterfs', 'endpointsNamespace']) ?? claimNamespace;
  return { kind: 'glusterfs', volume, endpoints: textAt(spec, ['glusterfs', 'endpoints']) ?? '', namespace };
}
