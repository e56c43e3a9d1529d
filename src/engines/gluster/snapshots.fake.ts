/**
 * Snapshots of one node of a cluster in memory: the images it holds, and under which barrier each was taken. Time does not
 * pass in it; a barrier falls with the process of a brick, or when a test says so.
 */
import { AppError } from '../../domain/errors.ts';
import type { GroupSnapshotEngine, RaisedBarrier, SnapshotImage } from '../../ports/snapshot-engine.ts';
import { type FakeCluster, type FakeState, fakeAway } from './cluster.fake.ts';

export interface FakeSnapshots {
  /** The engine of one node. */
  engine(node: string): GroupSnapshotEngine;
  /**
   * By "node snapshotUid copyUid": the barrier that was up when the image was taken, undefined when none was; of a group a number
   * that only its images have.
   */
  readonly images: ReadonlyMap<string, number | undefined>;
  /** Volumes whose answers are held back, and since which barrier. */
  readonly barriers: ReadonlyMap<string, number>;
  /** UIDs of copies whose file system is frozen: a test freezes, as one that died in the middle of an image; thaw ends it. */
  readonly frozen: Set<string>;
  /** That barrier falls by its timeout, if it is still up. */
  expire(volume: string, raised: RaisedBarrier): void;
}

/** Creates the snapshots of all nodes of a cluster. */
export function createFakeSnapshots(cluster: FakeCluster): FakeSnapshots {
  const images = new Map<string, number | undefined>();
  const barriers = new Map<string, number>();
  const frozen = new Set<string>();
  let raised = 0;
  const { state } = cluster;
  const alive = (name: string, signal?: AbortSignal): void => {
    signal?.throwIfAborted();
    if (!state.node(name).isOn) throw fakeAway(name);
  };
  const takeable = (node: string, { snapshotUid, copyUid }: SnapshotImage) => {
    const key = `${node} ${snapshotUid} ${copyUid}`;
    const copy = state.node(node).copies.get(copyUid);
    if (copy?.isMounted === true && !copy.isShutDown && !images.has(key)) return { key, copy };
    throw refuse(copyUid, 'ImageFailed', 'no image');
  };
  const engine = (name: string): GroupSnapshotEngine => ({
    raiseBarrier: async (volume, _seconds, signal) => {
      alive(name, signal);
      const processes = runningBricks(state, volume);
      raised += 1;
      barriers.set(volume, raised);
      return { processes: [...processes, `barrier ${raised}`] };
    },
    lowerBarrier: async (volume, proof, signal) => {
      alive(name, signal);
      const barrier = barriers.get(volume);
      barriers.delete(volume);
      if (proof === undefined) return;
      const now = barrier === undefined ? [] : [...runningBricks(state, volume), `barrier ${barrier}`];
      if (now.join() !== proof.processes.join()) throw refuse(volume, 'BarrierFell', 'it fell');
    },
    takeImages: async (group, signal) => {
      alive(name, signal);
      const keys = group.map((image) => takeable(name, image).key);
      raised += 1;
      for (const key of keys) images.set(key, raised);
      return keys.map(() => 1);
    },
    takeImage: async (image, signal) => {
      alive(name, signal);
      const { key, copy } = takeable(name, image);
      const volume = [...state.volumes.values()].find((each) =>
        each.bricks.some(({ path }) => path === copy.brickPath),
      );
      images.set(key, volume === undefined ? undefined : barriers.get(volume.name));
      return { bytes: 1 };
    },
    thaw: async ({ copyUid }, signal) => {
      alive(name, signal);
      frozen.delete(copyUid);
    },
    eraseImage: async ({ snapshotUid, copyUid }, signal) => {
      alive(name, signal);
      images.delete(`${name} ${snapshotUid} ${copyUid}`);
    },
  });
  const expire: FakeSnapshots['expire'] = (volume, { processes }) => {
    if (processes.at(-1) === `barrier ${barriers.get(volume)}`) barriers.delete(volume);
  };
  return { engine, images, barriers, frozen, expire };
}

function runningBricks(state: FakeState, name: string): readonly string[] {
  const volume = state.volumes.get(name);
  if (volume === undefined) throw refuse(name, 'BarrierFell', 'there is no such volume');
  return volume.bricks.map((brick) => {
    if (!state.serves(brick)) throw refuse(name, 'BarrierFell', `the copy on ${brick.node} does not run`);
    return `${brick.node}:${brick.path}`;
  });
}

function refuse(what: string, reason: string, why: string): AppError {
  return new AppError('precondition', `${what}: ${why}`, { reason });
}
