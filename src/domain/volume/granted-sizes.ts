/** Sizes that volumes were granted, seen from their copies: what is stored as granted counts as taken. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { type GrowingCopy } from '../placement/growth-faults.ts';
import { copySizes, poolBytesOf } from './copy-size.ts';

/** The size that a volume's copies are made for, or grown to. */
export function grantedSize({ spec, status }: Pick<Volume, 'spec' | 'status'>): string {
  return status?.grantedSize ?? spec.size;
}

/** Usable bytes that a copy of the role needs in a volume of that size. */
export function bytesFor(spec: Volume['spec'], role: VolumeCopy['spec']['role'], size: string): number {
  return copySizes({ ...spec, size })[role];
}

/** The copies as large as they will be once every granted growth has reached them. */
export function withGrants(copies: readonly VolumeCopy[], volumes: readonly Volume[]): readonly VolumeCopy[] {
  const granted = new Map(
    volumes.filter(({ status }) => status?.grantedSize !== undefined).map((volume) => [volume.metadata.uid, volume]),
  );
  return copies.map((copy) => {
    const volume = granted.get(copy.spec.volumeUid);
    if (volume === undefined) return copy;
    const sizeBytes = Math.max(copy.spec.sizeBytes, bytesFor(volume.spec, copy.spec.role, grantedSize(volume)));
    return { ...copy, spec: { ...copy.spec, sizeBytes } };
  });
}

/** What a growth to the size asks of the pools, beside what the copies have. */
export function growingCopies(
  spec: Volume['spec'],
  copies: readonly VolumeCopy[],
  size: string,
): readonly GrowingCopy[] {
  return copies.map(({ spec: copy }) => {
    const sizeBytes = Math.max(copy.sizeBytes, bytesFor(spec, copy.role, size));
    return {
      node: copy.node,
      pool: copy.pool,
      fromBytes: poolBytesOf(copy, copy.sizeBytes),
      toBytes: poolBytesOf(copy, sizeBytes),
    };
  });
}
