/** Snapshots of local volumes: the image of the one copy, taken while its file system is frozen. */
import type { Host } from '../../ports/host.ts';
import type { SnapshotEngine } from '../../ports/snapshot-engine.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { eraseImage, takeBlockImage, takeImage, thawCopy } from '../image/snapshot-image.ts';

/** Creates the snapshot engine of the node whose Host is given. */
export function createLocalSnapshots({ host }: { readonly host: Host }): SnapshotEngine {
  /** Folders that images share are made and removed by one at a time. */
  const pools = createKeyedMutex();
  return {
    // One image is one moment by itself: nothing has to be held back between several.
    raiseBarrier: async () => ({ processes: [] }),
    lowerBarrier: async () => undefined,
    takeImage: (image, signal) =>
      pools.run(image.poolPath, () =>
        image.isBlock === true ? takeBlockImage(host, image, signal) : takeImage(host, image, { signal }),
      ),
    thaw: (copy) => thawCopy(host, copy),
    eraseImage: (image) => pools.run(image.poolPath, () => eraseImage(host, image)),
  };
}
