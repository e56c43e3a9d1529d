/** Copies that are promised a place: the one answer that the controller, snapshots and what-if questions share. Pure. */
import type { PlacedCopy, Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { copyEngine } from './engines.ts';
import { bytesFor, grantedSize } from './granted-sizes.ts';
import { keySecretName } from './volume-key.ts';

/** A copy as it is recorded for a place that was chosen. */
export function plannedCopy(
  volume: Volume,
  placed: Pick<PlacedCopy, 'copy' | 'node' | 'pool' | 'role'> & { readonly index: number },
): VolumeCopy & { readonly metadata: { readonly name: string } } {
  const { name = '', uid = '' } = volume.metadata;
  const { copy, node, pool, role, index } = placed;
  const { brick, encryption, thinProvision } = volume.spec;
  const engine = copyEngine(volume.spec.engine);
  const isEncrypted = encryption === true;
  // What fscrypt needs where there is no LUKS; a device has none.
  const fsType = volume.spec.fsType ?? (isEncrypted && brick === 'image' ? 'ext4' : undefined);
  const sizeBytes = bytesFor(volume.spec, role, grantedSize(volume));
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name: copy },
    spec: {
      ...{ volume: name, volumeUid: uid, node, pool, role, index, engine, brick, sizeBytes },
      ...(fsType === undefined ? {} : { fsType }),
      ...(isEncrypted ? { keySecret: keySecretName(uid) } : {}),
      ...(thinProvision === true ? { thinProvision } : {}),
    },
  };
}

/** Copies that stored placements promise, but that are not recorded yet: their room is taken all the same. */
export function unrecordedCopies(volumes: readonly Volume[], copies: readonly VolumeCopy[]): readonly VolumeCopy[] {
  const known = new Set(copies.map((copy) => copy.metadata.name));
  return volumes.flatMap((volume) => {
    // Of a volume that goes no copy will be made any more.
    if (volume.metadata.deletionTimestamp !== undefined) return [];
    const placements = [volume.status?.placement ?? [], volume.status?.restore?.placement ?? []];
    return placements
      .flatMap((placement) => placement.map((placed, index) => plannedCopy(volume, { ...placed, index })))
      .filter((copy) => !known.has(copy.metadata.name));
  });
}
