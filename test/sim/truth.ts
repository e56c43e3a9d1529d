/** What is really so in the fake cluster, whatever the API says. */
import { engineNameOf } from '../../src/domain/volume/engine-name.ts';
import { brickSets } from '../../src/engines/gluster/brick-sets.ts';
import type { FakeCluster, FakeVolume } from '../../src/engines/gluster/cluster.fake.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { Seen } from './observer.ts';

/** The Volume that the engine knows by this name. */
export function volumeCalled({ Volume }: Pick<Seen, 'Volume'>, engineName: string): Resource<'Volume'> | undefined {
  return [...Volume.values()].find((volume) => engineNameOf(volume) === engineName);
}

/** A volume or a copy that Holdfast did not make: it may stay behind. */
export function isOfOthers(path: string): boolean {
  return !path.includes('/.holdfast/');
}

/**
 * Any one copy could be lost now: the volume runs, all of its bricks are up, reachable and current, and every mount of
 * it has a connection to each of them.
 *
 * @param clients - nodes whose mounts count
 */
export function isRedundantNow({ state }: FakeCluster, name: string, clients: readonly string[]): boolean {
  const volume = state.volumes.get(name);
  if (volume === undefined || !volume.isStarted || volume.bricks.length < 2 || volume.stale.size > 0) return false;
  const areConnected = clients.every((client) =>
    [...state.node(client).mounts.values()].every((mount) => {
      return mount.source !== name || !mount.isServed || mount.connected.size === volume.bricks.length;
    }),
  );
  if (!areConnected) return false;
  return volume.bricks.every((brick) => {
    const node = state.node(brick.node);
    return node.isOn && node.isPlugged && state.serves(brick);
  });
}

/** The volume that has a brick at this path, if any. */
export function volumeOfBrick({ state }: FakeCluster, node: string, path: string): FakeVolume | undefined {
  for (const volume of state.volumes.values()) {
    if (volume.bricks.some((brick) => brick.node === node && brick.path === path)) return volume;
  }
  return undefined;
}

/** Bricks whose copy is not there although a volume is made of it; a person who installs a machine anew takes its away. */
export function lostBricks({ state }: FakeCluster): readonly { readonly volume: FakeVolume; readonly node: string }[] {
  const lost: { volume: FakeVolume; node: string }[] = [];
  for (const volume of state.volumes.values()) {
    for (const brick of volume.bricks) {
      const copies = [...state.node(brick.node).copies.values()];
      if (copies.some((copy) => copy.brickPath === brick.path && copy.hasBrick)) continue;
      if (state.node(brick.node).wiped.has(brick.path)) continue;
      lost.push({ volume, node: brick.node });
    }
  }
  return lost;
}

/** Volumes with a set in which no copy with data has everything that was written; of three, two that differ make up for it. */
export function volumesWithoutWhole({ state }: FakeCluster): readonly string[] {
  return [...state.volumes.values()]
    .filter(({ bricks, shape, stale }) =>
      brickSets(bricks, shape).some((set) => {
        const data = set.filter((brick) => !brick.isArbiter);
        return data.length < 3 && data.every((brick) => stale.has(brick.path));
      }),
    )
    .map(({ name }) => name);
}
