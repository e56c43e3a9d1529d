/** What snapshots may come to take of their pools. */
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { keepsCopies } from '../volume/engines.ts';

/**
 * The images of snapshots as copies, for placement to count them whole: an image begins with the blocks of the copy, and
 * each block that is written then, in the copy or in a clone, takes new room. Without the promise a pool could fill up
 * under copies whose space was reserved.
 */
export function snapshotPromises(snapshots: readonly VolumeSnapshotRecord[]): VolumeCopy[] {
  return snapshots.flatMap((snapshot) => {
    const engine = snapshot.status?.volumeSpec?.engine;
    if (engine === undefined || !keepsCopies(engine)) return [];
    const uid = snapshot.metadata.uid ?? '';
    return Object.entries(snapshot.status?.copies ?? {})
      .filter(([, copy]) => copy.state !== 'Erased')
      .map(([name, { node, pool, role, index, sizeBytes }]) => ({
        apiVersion: 'holdfast.dev/v1alpha1' as const,
        kind: 'VolumeCopy' as const,
        // Of no volume: names of volumes hold no blanks.
        metadata: { name: `snapshot ${uid} ${name}`, uid: `snapshot ${uid} ${name}` },
        spec: {
          volume: `snapshot ${uid}`,
          volumeUid: uid,
          node,
          pool,
          role,
          index,
          engine,
          brick: 'image' as const,
          sizeBytes,
        },
      }));
  });
}
