/** Snapshots on one node: images of its copies, and the barrier of the volumes that it is the anchor of. */
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import type { SnapshotEngine } from '../../ports/snapshot-engine.ts';
import { lowerBarrier, raiseBarrier } from './barrier.ts';
import { createGlusterCli } from './cli.ts';
import { createKeyedMutex } from './keyed-mutex.ts';
import { eraseImage, takeImage, thawCopy } from './snapshot-image.ts';

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
    takeImage: (image, signal) => pools.run(image.poolPath, () => takeImage(host, image, signal)),
    thaw: (copy) => thawCopy(host, copy),
    eraseImage: (image) => pools.run(image.poolPath, () => eraseImage(host, image)),
  };
}
