/** Pools of others' making, for tests: as `read-pool.ts` sees them. */
import type { SeenPool, SeenPoolBrick, SeenPoolVolume } from './seen-pool.ts';

export const GV0_ID = '53cd60b0-7199-4cc7-8d76-f96b48172a7b';
const GIB = 1024 ** 3;

/** A brick of 10 GiB, each in a file system of its own. */
export function seenBrick(host: string, path: string, isArbiter = false): SeenPoolBrick {
  return { host, hostId: `id-${host}`, path, isArbiter, capacityBytes: 10 * GIB, device: `/dev/${path}` };
}

/** The volume of the recipe: three copies, started, as `volume info` tells it; `changes` make another of it. */
export function seenVolume(changes: Partial<SeenPoolVolume> = {}): SeenPoolVolume {
  return {
    ...{ name: 'gv0', id: GV0_ID, state: 'started', type: 'Replicate', replicaCount: 3, arbiterCount: 0 },
    ...{ hasThinArbiter: false, stripeCount: 1, disperseCount: 0, redundancyCount: 0, isTcp: true, snapshotCount: 0 },
    bricks: ['kube1', 'kube2', 'kube3'].map((host) => seenBrick(host, '/mnt/glusterVolume0')),
    options: { 'transport.address-family': 'inet' },
    ...changes,
  };
}

/** Machines kube1, kube2 ... and these volumes. */
export function seenPool(volumes: readonly SeenPoolVolume[], nodes = 3): SeenPool {
  const peers = Array.from({ length: nodes }, (_, at) => {
    const name = `kube${at + 1}`;
    return { id: `id-${name}`, names: [name], address: `10.91.0.${at + 1}`, isConnected: true };
  });
  return { peers, volumes, mounts: [] };
}
