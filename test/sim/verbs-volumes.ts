/** What people ask of single volumes: added, deleted, grown, converted, given a profile; snapshots and clones. */
import { isAppError } from '../../src/domain/errors.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { cloneVolume } from '../../src/usecases/snapshots/clone-volume.ts';
import { deleteSnapshot } from '../../src/usecases/snapshots/delete-snapshot.ts';
import { restoreVolume } from '../../src/usecases/snapshots/restore-volume.ts';
import { takeSnapshot } from '../../src/usecases/snapshots/take-snapshot.ts';
import { addVolume } from '../../src/usecases/volumes/add-volume.ts';
import { type ConvertibleLayout, convertVolume } from '../../src/usecases/volumes/convert-volume.ts';
import { deleteVolume } from '../../src/usecases/volumes/delete-volume.ts';
import { growVolume } from '../../src/usecases/volumes/grow-volume.ts';
import { setProfile } from '../../src/usecases/volumes/set-profile.ts';
import type { SimCluster } from './cluster.ts';
import { isWhole, isWhollyGone } from './expectations.ts';
import { PATIENCE_MS, type Verb } from './interrupt.ts';
import { isRedundantNow } from './truth.ts';
import { waitAsUser } from './user.ts';

type Layout = Pick<PlanVolume, 'layout' | 'replicas' | 'distribution' | 'disperseData' | 'redundancy'>;

const LAYOUTS: readonly Layout[] = [
  { layout: 'single' },
  { layout: 'replicated' },
  { layout: 'arbiter' },
  { layout: 'distributed', distribution: 3 },
  { layout: 'distributed-replicated', distribution: 2 },
  { layout: 'dispersed' },
  { layout: 'distributed-dispersed', distribution: 2 },
];

export function volumeOf(layout: Layout = { layout: 'arbiter' }): PlanVolume {
  return { name: 'gv0', size: '1Gi', ...layout, mount: { path: '/data', nodes: ['kube2'] } };
}

export const depsOf = ({
  world: { client, clock, random },
}: SimCluster): Pick<SimCluster['world'], 'client' | 'clock' | 'random'> => ({ client, clock, random });
const waiting = { waitMs: PATIENCE_MS, isDryRun: false, onProgress: () => undefined };
const statusOf = ({ seen }: SimCluster) => seen.Volume.get('gv0')?.status;
const confirm = async () => true;

const add = (layout: Layout): Verb => ({
  name: `volume add (${layout.layout})`,
  act: async (sim) => {
    const { mount: _, ...request } = volumeOf(layout);
    await addVolume(depsOf(sim), { ...(request as Parameters<typeof addVolume>[1]) }, waiting);
  },
  isDone: (sim) => isWhole(sim, 'gv0'),
});

const remove = (layout: Layout): Verb => ({
  name: `volume delete (${layout.layout})`,
  volumes: [volumeOf(layout)],
  act: (sim) => deleteVolume(depsOf(sim), 'gv0', { detach: true, waitMs: PATIENCE_MS, confirm }),
  isDone: isWhollyGone,
});

/** So large that the arbiter has to grow too. */
const grow = (layout: Layout, brick: 'image' | 'directory' = 'image'): Verb => ({
  name: `volume grow (${layout.layout}, ${brick})`,
  volumes: [{ ...volumeOf(layout), brick }],
  act: (sim) => growVolume(depsOf(sim), { name: 'gv0', size: '12Gi' }, waiting),
  isDone: (sim) => statusOf(sim)?.size === '12Gi',
});

const PROFILE: Verb = {
  name: 'volume set-profile',
  volumes: [volumeOf()],
  act: (sim) => setProfile(depsOf(sim), { name: 'gv0', profile: 'database' }, waiting),
  isDone: (sim) => statusOf(sim)?.engine?.profile === 'database',
};

const convert = (from: Layout, layout: ConvertibleLayout, roles: string): Verb => ({
  name: `volume convert (${from.layout} to ${roles})`,
  volumes: [volumeOf(from)],
  act: (sim) => convertVolume(depsOf(sim), { name: 'gv0', layout }, waiting),
  isDone: (sim) => {
    const placed = statusOf(sim)?.placement?.map(({ role }) => role);
    return placed?.join() === roles && sim.gluster.state.volumes.get('gv0')?.bricks.length === placed.length;
  },
});

/** A snapshot that a death cut short says so, and the person types the same command again. */
async function takeUntilTaken(sim: SimCluster): Promise<void> {
  for (;;) {
    await waitAsUser(sim, () => isRedundantNow(sim.gluster, 'gv0', sim.nodes));
    try {
      return void (await takeSnapshot(depsOf(sim), { volume: 'gv0', name: 's1' }, waiting));
    } catch (error) {
      if (!isAppError(error) || !['SnapshotFailed', 'SnapshotRefused'].includes(error.reason ?? '')) throw error;
      await sim.world.clock.sleep(1_000);
    }
  }
}

const SNAPSHOTS: readonly Verb[] = [
  {
    name: 'volume snapshot',
    isWholly: true,
    volumes: [volumeOf()],
    act: takeUntilTaken,
    isDone: ({ seen }) => seen.VolumeSnapshotRecord.get('s1')?.status?.phase === 'Ready',
  },
  {
    name: 'volume clone',
    volumes: [volumeOf()],
    prepare: takeUntilTaken,
    act: (sim) => cloneVolume(depsOf(sim), { volume: 'gv0', name: 'twin', snapshot: 's1' }, waiting),
    isDone: (sim) => isWhole(sim, 'twin'),
  },
  {
    name: 'volume snapshot delete',
    isWholly: true,
    volumes: [volumeOf()],
    prepare: takeUntilTaken,
    act: (sim) => deleteSnapshot(depsOf(sim), 's1', { waitMs: PATIENCE_MS, confirm }),
    isDone: ({ seen, snapshots }) => seen.VolumeSnapshotRecord.size + snapshots.images.size === 0,
  },
];

/** A restoration that a death cut short says so and leaves the volume as it was, and the person asks once more. */
async function restoreUntilRestored(sim: SimCluster): Promise<void> {
  const asked = { volume: 'gv0', snapshot: 's1' };
  for (;;) {
    await waitAsUser(sim, () => isRedundantNow(sim.gluster, 'gv0', sim.nodes));
    try {
      return void (await restoreVolume(depsOf(sim), asked, { waitMs: PATIENCE_MS, confirm }));
    } catch (error) {
      if (!isAppError(error) || error.reason !== 'RestoreRefused') throw error;
      await deleteFailedSnapshots(sim);
      // A name for what is kept is of the second in which it is asked for.
      await sim.world.clock.sleep(1_000);
    }
  }
}

async function deleteFailedSnapshots(sim: SimCluster): Promise<void> {
  const failed = [...sim.seen.VolumeSnapshotRecord.values()].filter(({ status }) => status?.phase === 'Failed');
  for (const { metadata } of failed) await deleteSnapshot(depsOf(sim), metadata.name, { waitMs: PATIENCE_MS, confirm });
}

/** Mounted nowhere: a volume in use is not restored. */
const restore = (layout: Layout): Verb => {
  const { mount: _, ...volume } = volumeOf(layout);
  const isOf = ({ seen }: SimCluster, uid: string | undefined) =>
    [...seen.VolumeCopy.values()].every(({ spec }) => spec.source?.snapshotUid === uid);
  return {
    name: `volume restore (${layout.layout})`,
    volumes: [volume],
    prepare: takeUntilTaken,
    act: restoreUntilRestored,
    isDone: (sim) =>
      statusOf(sim)?.restore?.phase === 'Done' &&
      isOf(sim, sim.seen.VolumeSnapshotRecord.get('s1')?.metadata.uid) &&
      sim.seen.VolumeSnapshotRecord.get(statusOf(sim)?.restore?.safetySnapshot ?? '')?.status?.phase === 'Ready',
  };
};

/** On three nodes, with anchors and members chosen by the seed's world. */
export const VOLUME_VERBS: readonly Verb[] = [
  ...LAYOUTS.map(add),
  ...LAYOUTS.map(remove),
  { ...grow({ layout: 'arbiter' }), isWholly: true },
  grow({ layout: 'distributed-replicated', distribution: 2 }),
  grow({ layout: 'arbiter' }, 'directory'),
  PROFILE,
  convert({ layout: 'single' }, 'replicated', 'data,data,data'),
  convert({ layout: 'replicated' }, 'single', 'data'),
  convert({ layout: 'replicated' }, 'arbiter', 'data,data,arbiter'),
  convert({ layout: 'arbiter' }, 'replicated', 'data,data,data'),
  ...SNAPSHOTS,
  restore({ layout: 'arbiter' }),
];
