/** Runs a verb once for each moment at which a program can die in it, and holds each run to the same promises. */
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { withSeed } from './seeds.ts';
import { expectTidy, holdsTruth } from './tidy.ts';
import { startUser } from './user.ts';

/** Longer than what a dead program costs, again and again: silent watches, restarts and backoff. */
export const PATIENCE_MS = 10 * 60_000;
const WRITE_EVERY_MS = 400;

export interface Verb {
  readonly name: string;
  /** Dies at every moment, however many there are: nothing else tries them all. */
  readonly isWholly?: boolean;
  readonly nodes?: readonly string[];
  /** What is there and whole before. */
  readonly volumes?: readonly PlanVolume[];
  /** What else has to be so before. */
  readonly prepare?: (sim: SimCluster) => Promise<void>;
  /** What a person types, until it says that it is done. */
  readonly act: (sim: SimCluster) => Promise<unknown>;
  /** As it was asked for. */
  readonly isDone: (sim: SimCluster) => boolean;
  /** What the engine does meanwhile by itself; called at each moment that passes. */
  readonly daemon?: (sim: SimCluster) => void;
}

interface Point {
  /** From 1, of all that programs do in the world. */
  readonly moment: number;
  readonly label: string;
  readonly when: 'before' | 'after';
}

export interface Interruptions {
  readonly ran: number;
  readonly of: number;
}

/**
 * Dies at every moment of the verb, before and after it; of more than `most` of them at as many, drawn by the seed.
 *
 * @throws {Error} that names the seed and the moment, when a promise is broken
 */
export async function interruptEverywhere(verb: Verb, seed: number, most: number): Promise<Interruptions> {
  const points = await findPoints(verb, seed);
  const random = createSeededRandom(seed);
  const chosen = points
    .map((point) => ({ point, key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .slice(0, verb.isWholly === true ? points.length : most);
  for (const { point } of chosen) await dieAt(verb, seed, point);
  return { ran: chosen.length, of: points.length };
}

async function findPoints(verb: Verb, seed: number): Promise<readonly Point[]> {
  return withSeed(seed, async () => {
    const { moments, from } = await live(verb, seed);
    const found = moments.slice(from).map((label, at) => ({ label, moment: from + at + 1 }));
    if (found.length === 0) throw new Error(`nobody does anything when ${verb.name} is asked for`);
    return found.flatMap((point) => (['before', 'after'] as const).map((when) => ({ ...point, when })));
  });
}

async function dieAt(verb: Verb, seed: number, point: Point): Promise<void> {
  const { moment, label, when } = point;
  try {
    const { moments } = await withSeed(seed, () => live(verb, seed, point));
    // A point that is another one than was counted would be tested twice, and this one never.
    if (moments[moment - 1] !== label) throw new Error(`it is ${moments[moment - 1]} instead`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${verb.name}, death ${when} moment ${moment} (${label}): ${message}`, { cause: error });
  }
}

/** One run. @returns all moments, and how many of them were before the verb */
async function live(
  { nodes, volumes = [], prepare, act, isDone, daemon }: Verb,
  seed: number,
  death?: Point,
): Promise<{ readonly moments: readonly string[]; readonly from: number }> {
  const sim = await createSimCluster(seed, nodes === undefined ? {} : { nodes });
  const tick = (): boolean => {
    daemon?.(sim);
    return holdsTruth(sim);
  };
  try {
    await sim.applyPlan(volumes);
    await sim.until('the nodes are there', () => tick() && areNodesReady(sim), PATIENCE_MS);
    await expectTidy(sim);
    await asUser(sim, () => prepare?.(sim) ?? Promise.resolve(), tick);
    const from = sim.moments().length;
    if (death !== undefined) sim.dieAtMoment(death.moment, death.when);
    await asUser(sim, () => act(sim), tick);
    await sim.until('it is as asked for', () => tick() && isDone(sim), PATIENCE_MS);
    await expectTidy(sim);
    return { moments: sim.moments(), from };
  } finally {
    // Node keeps signals that somebody listens to: without an end, thousands of worlds would stay in memory.
    for (const who of [CONTROLLER, ...sim.nodes]) sim.kill(who);
  }
}

function areNodesReady({ seen, nodes }: SimCluster): boolean {
  return nodes.every((node) => seen.StorageNode.get(node)?.status?.pools?.[0]?.isReady === true);
}

/** Somebody does it while somebody else writes to all that is mounted. */
async function asUser(sim: SimCluster, work: () => Promise<unknown>, tick: () => boolean): Promise<void> {
  const user = startUser(async () => void (await work()));
  let nextWriteAt = 0;
  const isOver = () => {
    const now = sim.world.clock.monotonic();
    if (now >= nextWriteAt) {
      nextWriteAt = now + WRITE_EVERY_MS;
      writeToMounts(sim);
    }
    return tick() && user.isDone();
  };
  await sim.until('the command ends', isOver, PATIENCE_MS);
}

function writeToMounts({ gluster }: SimCluster): void {
  for (const node of gluster.state.nodes.values()) {
    for (const { isServed, source } of node.mounts.values()) if (isServed) gluster.write(node.name, source);
  }
}
