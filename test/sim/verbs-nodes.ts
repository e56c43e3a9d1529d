/** What people ask of nodes and disks, and the pieces of work that they ask for once. */
import { isAppError } from '../../src/domain/errors.ts';
import { uuidOf } from '../../src/engines/gluster/cluster.fake.ts';
import type { EntryVersion } from '../../src/ports/brick-work.ts';
import type { TaskSpec } from '../../src/schemas/task.ts';
import { drainNode, replaceDisk, replaceNode, undrainNode } from '../../src/usecases/nodes/move-copies.ts';
import { rejoinNode } from '../../src/usecases/nodes/rejoin-node.ts';
import { runTask } from '../../src/usecases/tasks/run-task.ts';
import { undoTask } from '../../src/usecases/tasks/undo-task.ts';
import { healTask, rebalanceTask, splitBrainTask } from '../../src/usecases/tasks/volume-task.ts';
import type { SimCluster } from './cluster.ts';
import { PATIENCE_MS, type Verb } from './interrupt.ts';
import { startUser, waitAsUser } from './user.ts';
import { depsOf, volumeOf } from './verbs-volumes.ts';

const FOUR = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const PATH = '/notes';
const waiting = { waitMs: PATIENCE_MS, onProgress: () => undefined };
const confirm = async () => true;
const placementOf = ({ seen }: SimCluster) => seen.Volume.get('gv0')?.status?.placement ?? [];
const holds = ({ seen }: SimCluster, node: string) =>
  [...seen.VolumeCopy.values()].some(({ spec }) => spec.node === node);

/** kube1 anchors what is made first. */
const drain = (layout: 'single' | 'replicated' | 'arbiter'): Verb => ({
  name: `node drain (${layout})`,
  nodes: FOUR,
  volumes: [volumeOf({ layout })],
  act: (sim) => drainNode(depsOf(sim), 'kube1', waiting),
  isDone: (sim) => !holds(sim, 'kube1'),
});

/** In the middle of a move: the move ends one way or the other, and the node can have copies again. */
const UNDRAIN: Verb = {
  name: 'node undrain (in the middle of a drain)',
  nodes: FOUR,
  volumes: [volumeOf()],
  act: async (sim) => {
    await drainNode(depsOf(sim), 'kube1', { onProgress: () => undefined });
    await waitAsUser(sim, () => sim.seen.VolumeCopy.size > 3);
    await undrainNode(depsOf(sim), 'kube1', {});
  },
  isDone: ({ seen }) => seen.StorageNode.get('kube1')?.spec.isDraining !== true && seen.VolumeCopy.size === 3,
};

async function waitUntilAway(sim: SimCluster): Promise<void> {
  const readiness = () => sim.seen.StorageNode.get('kube3')?.status?.conditions?.find(({ type }) => type === 'Ready');
  await waitAsUser(sim, () => sim.seen.StorageNode.has('kube3') === false || readiness()?.status !== 'True');
}

const REPLACE_NODE: Verb = {
  name: 'node replace',
  nodes: FOUR,
  volumes: [volumeOf({ layout: 'replicated' })],
  prepare: async (sim) => {
    sim.powerOff('kube3');
    await waitUntilAway(sim);
  },
  act: async (sim) => {
    const replace = () => replaceNode(depsOf(sim), { old: 'kube3' }, { ...waiting, confirm });
    try {
      await replace();
    } catch (error) {
      // A new controller gives every node the benefit of the doubt for some seconds; people repeat the command then.
      if (!isAppError(error) || error.reason !== 'NodeIsThere') throw error;
      await waitUntilAway(sim);
      await replace();
    }
  },
  isDone: (sim) =>
    !sim.seen.StorageNode.has('kube3') &&
    !holds(sim, 'kube3') &&
    placementOf(sim).length === 3 &&
    !sim.gluster.state.node('kube1').members.has('kube3') &&
    sim.seen.StorageCluster.get('default')?.status?.peers?.leaving === undefined,
};

/** As after an exchange of the disk: nothing is on it, and no process serves what was. */
async function loseDisk(sim: SimCluster): Promise<void> {
  const node = sim.gluster.state.node('kube3');
  const [copy] = [...sim.seen.VolumeCopy.values()].filter(({ spec }) => spec.node === 'kube3');
  sim.gluster.killBrick('kube3', 'gv0');
  for (const { brickPath } of node.copies.values()) node.wiped.add(brickPath);
  node.copies.clear();
  await waitAsUser(sim, () => sim.seen.VolumeCopy.get(copy?.metadata.name ?? '')?.status?.state === 'Suspect');
}

const replaceDiskOf = (layout: 'replicated' | 'arbiter', nodes: readonly string[]): Verb => ({
  name: `disk replace (${layout}, ${nodes.length} nodes)`,
  nodes,
  volumes: [volumeOf({ layout })],
  prepare: loseDisk,
  act: (sim) => replaceDisk(depsOf(sim), { node: 'kube3', pool: 'default' }, { ...waiting, confirm }),
  isDone: (sim) => holds(sim, 'kube3') && sim.gluster.state.node('kube3').copies.size === 1,
});

/** Off long enough to be missed, and back with a blank engine and blank disks. */
async function reinstall(sim: SimCluster, node: string): Promise<void> {
  sim.powerOff(node);
  await sim.world.clock.sleep(10_000);
  sim.gluster.reinstall(node);
  sim.powerOn(node);
  const engine = () => sim.seen.StorageNode.get(node)?.status?.engines?.[0];
  await waitAsUser(sim, () => engine()?.isStranger === true);
}

/** kube1 anchors the volume and the cluster; another one does by the time that it is asked for. */
const rejoin = (node: 'kube1' | 'kube3'): Verb => ({
  name: `node rejoin (${node})`,
  volumes: [volumeOf({ layout: 'replicated' })],
  prepare: (sim) => reinstall(sim, node),
  act: (sim) =>
    rejoinNode(depsOf(sim), node, {
      ...{ isForced: false, isDryRun: false, waitMs: PATIENCE_MS },
      ...{ confirm, say: () => undefined },
    }),
  isDone: ({ seen, gluster }) => {
    const { id, copies, wiped } = gluster.state.node(node);
    // Never the copy of before: where it was nothing is, and that must not pass for what the volume holds.
    const isAnother = copies.size === 1 && [...copies.values()].every(({ brickPath }) => !wiped.has(brickPath));
    const engine = seen.StorageNode.get(node)?.status?.engines?.[0];
    return id === uuidOf(node) && engine?.id === id && engine.isStranger !== true && isAnother;
  },
});

async function work(sim: SimCluster, spec: TaskSpec): Promise<void> {
  await runTask({ ...depsOf(sim), random: sim.world.random }, spec, { waitMs: PATIENCE_MS });
}

const HEAL: Verb = {
  name: 'volume heal',
  volumes: [volumeOf()],
  prepare: async ({ work: { heals } }) => void heals.set('gv0', { pending: 5, splitBrain: 0, silent: [] }),
  act: async (sim) => work(sim, await healTask(depsOf(sim), 'gv0', { isFull: false })),
  daemon: ({ work: { calls, heals } }) => {
    if (calls.includes('startHeal gv0')) heals.set('gv0', { pending: 0, splitBrain: 0, silent: [] });
  },
  isDone: ({ work: { heals } }) => heals.get('gv0')?.pending === 0,
};

/** One pass takes a while, so that somebody can die in it. */
const REBALANCE: Verb = {
  name: 'volume rebalance',
  volumes: [volumeOf({ layout: 'distributed-replicated', distribution: 2 })],
  act: async (sim) => {
    const asked = work(sim, await rebalanceTask(depsOf(sim), 'gv0'));
    const ended = startUser(() => asked);
    const counts = { movedFiles: 1, movedBytes: 1, lookedAt: 1, failures: 0, skipped: 0 };
    while (!ended.isDone()) {
      await waitAsUser(sim, () => sim.work.rebalances.get('gv0')?.state === 'running' || ended.isDone());
      await sim.world.clock.sleep(2_000);
      sim.work.rebalances.set('gv0', { ...counts, state: 'done' });
    }
  },
  // One that ends while the agent that began it is dead, before it could say so, is begun once more: no harm to data.
  isDone: ({ work: { calls } }) => calls.filter((call) => call === 'startRebalance gv0').length <= 2,
};

const versionOf = (node: string): EntryVersion => ({
  ...{ type: 'file', gfid: 'g', sizeBytes: 9, modifiedAt: '', owner: '0:0', mode: '0644', sha256: `of ${node}` },
});

/** Each copy has its own version of one file. */
async function tear(sim: SimCluster): Promise<void> {
  for (const { spec, status } of sim.seen.VolumeCopy.values())
    sim.work.versions.set(`${status?.path}${PATH}`, versionOf(spec.node));
  sim.work.splitBrains.set('gv0', [{ path: PATH, kind: 'content' }]);
}

async function resolve(sim: SimCluster): Promise<void> {
  const action = 'resolveSplitBrain';
  await work(sim, await splitBrainTask(depsOf(sim), 'gv0', { action, path: PATH, keep: 'kube2' }));
}

const contents = ({ work: { versions } }: SimCluster) => [
  ...new Set([...versions.values()].map(({ sha256 }) => sha256)),
];

/** Every version was put aside, as it was, before one was chosen. */
function isEachAside({ work: { saved, calls } }: SimCluster): boolean {
  const aside = new Set([...saved.values()].map(({ sha256 }) => sha256));
  const before = new Set(
    calls.slice(
      0,
      calls.findIndex((call) => call.startsWith('keepVersion')),
    ),
  );
  const isFirst = [...before].filter((call) => call.startsWith('saveEntry')).length === 3;
  return isFirst && ['of kube1', 'of kube2', 'of kube3'].every((version) => aside.has(version));
}

const SPLIT_BRAINS: readonly Verb[] = [
  {
    name: 'volume split-brain resolve',
    isWholly: true,
    volumes: [volumeOf({ layout: 'replicated' })],
    prepare: tear,
    act: resolve,
    isDone: (sim) => contents(sim).join() === 'of kube2' && isEachAside(sim) && sim.work.saved.size === 3,
  },
  {
    name: 'volume split-brain resolve --undo',
    volumes: [volumeOf({ layout: 'replicated' })],
    prepare: async (sim) => {
      await tear(sim);
      await resolve(sim);
    },
    act: async (sim) => work(sim, await undoTask(depsOf(sim), { volume: 'gv0', path: PATH, node: 'kube3' })),
    // What was there before the undo is put aside too, also when it is done twice.
    isDone: (sim) => {
      const kept = [...sim.work.saved.values()].filter(({ sha256 }) => sha256 === 'of kube2');
      return contents(sim).join() === 'of kube3' && isEachAside(sim) && kept.length === 2;
    },
  },
];

export const NODE_VERBS: readonly Verb[] = [
  drain('single'),
  drain('replicated'),
  drain('arbiter'),
  UNDRAIN,
  REPLACE_NODE,
  replaceDiskOf('replicated', FOUR.slice(0, 3)),
  replaceDiskOf('arbiter', FOUR),
  rejoin('kube1'),
  rejoin('kube3'),
  HEAL,
  REBALANCE,
  ...SPLIT_BRAINS,
];
