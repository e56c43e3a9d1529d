/** Snapshots on one node: images of its copies, and the barrier of the volumes that it is the anchor of. */
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import type { SnapshotEngine, SnapshotImage } from '../../ports/snapshot-engine.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { eraseImage, takeImage, thawCopy } from '../image/snapshot-image.ts';
import type { SnapshotPaths } from '../image/snapshot-paths.ts';
import { lowerBarrier, raiseBarrier } from './barrier.ts';
import { createGlusterCli } from './cli.ts';
import { keepClientNumbers, readClientNumbers } from './client-numbers.ts';

/** Creates the snapshot engine of the node whose Host is given. */
export function createGlusterSnapshots(deps: {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}): SnapshotEngine {
  const { host } = deps;
  const volumes = { clock: deps.clock, cli: createGlusterCli(deps), locks: createKeyedMutex() };
  /** Folders that images share are made and removed by one at a time. */
  const pools = createKeyedMutex();
  return {
    raiseBarrier: (volume, seconds, signal) => raiseBarrier(volumes, volume, { seconds, signal }),
    lowerBarrier: (volume, raised, signal) => lowerBarrier(volumes, volume, { raised, signal }),
    takeImage: (image, signal) => pools.run(image.poolPath, () => takeGlusterImage(host, image, signal)),
    thaw: (copy) => thawCopy(host, copy),
    eraseImage: (image) => pools.run(image.poolPath, () => eraseImage(host, image)),
  };
}

/** As {@link takeImage}, with the numbers beside it by which GlusterFS's marks in the image name the copies. */
export async function takeGlusterImage(
  host: Host,
  image: SnapshotImage,
  signal: AbortSignal,
): Promise<{ bytes: number }> {
  const keepBeside = async (paths: SnapshotPaths) =>
    keepClientNumbers(host, paths, await readClientNumbers(host, image.copyUid));
  return takeImage(host, image, { signal, keepBeside });
}
