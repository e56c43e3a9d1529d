/** Snapshots of local volumes: the image of the one copy, taken while its file system is frozen. */
import type { Host } from '../../ports/host.ts';
import type { GroupSnapshotEngine } from '../../ports/snapshot-engine.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { takeImages } from '../image/snapshot-group.ts';
import { eraseImage, takeBlockImage, takeImage, thawCopy } from '../image/snapshot-image.ts';

/** Creates the snapshot engine of the node whose Host is given. */
export function createLocalSnapshots({ host }: { readonly host: Host }): GroupSnapshotEngine {
  /** Folders that images share are made and removed by one at a time. */
  const pools = createKeyedMutex();
  /** In one order for all, so that no two groups wait for each other. */
  const inTurn = <T>(paths: readonly string[], act: () => Promise<T>): Promise<T> => {
    const [first, ...rest] = paths;
    return first === undefined ? act() : pools.run(first, () => inTurn(rest, act));
  };
  return {
    // One image is one moment by itself: nothing has to be held back between several.
    raiseBarrier: async () => ({ processes: [] }),
    lowerBarrier: async () => undefined,
    takeImage: (image, signal) =>
      pools.run(image.poolPath, () =>
        image.isBlock === true ? takeBlockImage(host, image, signal) : takeImage(host, image, { signal }),
      ),
    takeImages: (images, signal) =>
      inTurn([...new Set(images.map(({ poolPath }) => poolPath))].toSorted(), () => takeImages(host, images, signal)),
    thaw: (copy) => thawCopy(host, copy),
    eraseImage: (image) => pools.run(image.poolPath, () => eraseImage(host, image)),
  };
}
