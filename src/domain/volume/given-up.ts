/** What becomes of volumes with a node, or a disk, that is gone for good. Pure. */
import type { PlacedCopy, Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';

/**
 * Volumes to be deleted for which nothing is left to do but on the node: what they wait for is its end. Their data was given
 * up by whoever deleted them.
 */
export function endWithNode(volumes: readonly Volume[], node: string): readonly Volume[] {
  return volumes.filter(({ metadata, status }) => {
    if (metadata.deletionTimestamp === undefined) return false;
    const isAlone = status?.placement?.every((placed) => placed.node === node) === true;
    return status?.engine?.state === 'Removed' || isAlone;
  });
}

/**
 * Those of the copies from which nothing can be filled: no other copy of their set holds data, so the volume, or a part of
 * it, is lost with them.
 */
export function onlyCopies<C extends VolumeCopy>(gone: readonly C[], volumes: readonly Volume[]): readonly C[] {
  return gone.filter((copy) => {
    const volume = volumes.find(({ metadata }) => metadata.uid === copy.spec.volumeUid);
    const placement = volume?.status?.placement ?? [];
    const own = placement.find((placed) => placed.copy === copy.metadata.name);
    if (own === undefined || own.role !== 'data') return false;
    return !placement.some(
      (placed) => isBeside(placed, own) && !gone.some(({ metadata }) => metadata.name === placed.copy),
    );
  });
}

function isBeside(placed: PlacedCopy, own: PlacedCopy): boolean {
  return placed.copy !== own.copy && placed.role === 'data' && (placed.set ?? 0) === (own.set ?? 0);
}
