/** A volume that somebody else made in the engine of a simulated cluster, and the plan that takes it over. */
import { planAdoption } from '../../src/domain/adopt/plan-adoption.ts';
import { seenBrick, seenPool, seenVolume } from '../../src/domain/adopt/pool.fake.ts';
import type { FakeBrick, FakeVolume } from '../../src/engines/gluster/cluster.fake.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import type { SimCluster } from './cluster.ts';

const ENGINE_ID = '53cd60b0-7199-4cc7-8d76-f96b48172a7b';
/** As Heketi names volumes. */
export const ENGINE_NAME = 'vol_8A7b';
export const NAME = 'vol-8a7b';
const pathOn = (at: number) => `/var/lib/heketi/mounts/vg_1/brick_${at}/brick`;
/** The pool knows this one by its address. */
const UNNAMED = { node: 'kube2', host: '10.9.0.2' } as const;

const BRICKS: readonly FakeBrick[] = [
  { node: 'kube1', path: pathOn(1), isArbiter: false },
  { ...UNNAMED, path: pathOn(2), isArbiter: false },
  { node: 'kube3', path: pathOn(3), isArbiter: true },
];

/** Makes and starts it, as its maker did: in a pool of all nodes. */
export async function makeOthersVolume(sim: SimCluster, bricks: readonly FakeBrick[] = BRICKS): Promise<void> {
  const { state } = sim.gluster;
  const { members } = state.node('kube1');
  for (const name of sim.nodes) state.node(name).members = members.add(name);
  for (const { node, path } of bricks) {
    const here = state.node(node);
    const folder = { poolPath: '', brickPath: path, brick: 'directory', reservedBytes: 0 } as const;
    const uid = `of others on ${node}`;
    here.copies.set(uid, { uid, ...folder, hasImage: false, isMounted: false, hasBrick: true, isShutDown: false });
    here.running.add(path);
  }
  state.volumes.set(ENGINE_NAME, {
    ...{ name: ENGINE_NAME, id: ENGINE_ID, shape: { layout: 'arbiter', sets: 1 }, bricks, isStarted: true },
    options: new Map([['performance.stat-prefetch', 'off']]),
    ...{ limitBytes: undefined, stale: new Map(), isHealing: false, lagging: new Map(), late: new Map() },
  });
}

/** What `plan adopt` writes down about it. */
export function adoptedVolume(changes: Partial<NonNullable<PlanVolume['adopted']>> = {}): PlanVolume {
  const bricks = BRICKS.map(({ node, path, isArbiter, host = node }) => {
    return { ...seenBrick(host, path, isArbiter), hostId: `id-${node}` };
  });
  const seen = seenVolume({ name: ENGINE_NAME, id: ENGINE_ID, arbiterCount: 1, bricks });
  const [volume] = planAdoption(seenPool([seen])).volumes;
  if (volume?.adopted === undefined) throw new Error('it cannot be adopted');
  return { ...volume, adopted: { ...volume.adopted, ...changes } };
}

/** What nobody may change about it. */
export function describeTheirs({ gluster }: SimCluster): string {
  const found: FakeVolume | undefined = gluster.state.volumes.get(ENGINE_NAME);
  if (found === undefined) return 'gone';
  const { id, bricks, options, isStarted, limitBytes } = found;
  return JSON.stringify({ id, bricks, options: [...options], isStarted, limitBytes });
}

/** That every directory of it is there, whoever uses it. */
export function areDirectoriesThere({ gluster }: SimCluster): boolean {
  return BRICKS.every(({ node, path }) =>
    [...gluster.state.node(node).copies.values()].some((copy) => copy.brickPath === path && copy.hasBrick),
  );
}
