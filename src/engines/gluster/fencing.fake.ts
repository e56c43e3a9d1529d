/** Who is connected to the bricks of the cluster in memory, seen from one node of it. */
import { AppError } from '../../domain/errors.ts';
import type { EngineFencing } from '../../ports/fencing.ts';
import { type FakeCluster, type FakeVolume, fakeAway, reachableBricks } from './cluster.fake.ts';
import { refusedAddresses } from './refusal.ts';

/** Creates the view of a node. */
export function createFakeFencing({ state }: FakeCluster, self: string): EngineFencing {
  let questions = 0;
  const find = (name: string): FakeVolume => {
    if (!state.node(self).isOn) throw fakeAway(self);
    const found = state.volumes.get(name);
    if (found === undefined) throw new AppError('notFound', `Volume ${name} does not exist`);
    return found;
  };
  const seen = (volume: FakeVolume) => volume.bricks.filter((brick) => state.reaches(self, brick.node));
  return {
    clients: async (name) => {
      const volume = find(name);
      return seen(volume).map(({ node: host, path }) => {
        const clients = state.node(host).running.has(path) ? clientsOf(state, volume, path) : undefined;
        obeyAtSecondLook(volume, path);
        return { host, path, clients };
      });
    },
    calls: async (name) => {
      const volume = find(name);
      questions += 1;
      return seen(volume).map(({ node: host, path }) => {
        const looks = volume.late.get(path);
        if (looks === 0) volume.late.set(path, 1);
        else volume.late.delete(path);
        return { host, path, calls: [...(looks === 0 ? ['late write'] : []), `question ${questions}`] };
      });
    },
    comeBack: async (addresses) => {
      const node = state.node(self);
      if (!node.isOn) throw fakeAway(self);
      for (const { name, options } of state.volumes.values()) {
        if (!refusedAddresses(Object.fromEntries(options)).some((each) => addresses.includes(each))) continue;
        throw new AppError('unavailable', `volume ${name} refuses ${self} still`, { reason: 'StillRefused' });
      }
      node.isHealerCut = false;
    },
  };
}

/** What its clients had asked for goes on. */
function obeyAtSecondLook({ lagging, late }: FakeVolume, path: string): void {
  const looks = lagging.get(path);
  if (looks === 0) lagging.set(path, 1);
  if (looks !== 1) return;
  lagging.delete(path);
  late.set(path, 0);
}

function clientsOf(state: FakeCluster['state'], volume: FakeVolume, path: string): readonly string[] {
  return [...state.nodes.values()]
    .filter(({ mounts }) => [...mounts.values()].some((mount) => mount.isServed && mount.source === volume.name))
    .filter(({ name }) => reachableBricks(state, volume, name).has(path))
    .map(({ address }) => address);
}
