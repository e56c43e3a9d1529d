/** Faults drawn from a seed: what happens to machines, networks and programs while a cluster works. */
import type { FaultRates } from '../../src/ports/faulty-client.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Random } from '../../src/ports/random.ts';
import { CONTROLLER, type SimCluster } from './cluster.ts';

/** What one fault does, and what ends it if it does not end by itself. */
type Fault = (sim: SimCluster, random: Random) => (() => void) | undefined;

const ROUGH: FaultRates = { failBefore: 0.05, failAfter: 0.05, breakWatch: 0.02 };

function pick<T>(random: Random, choices: readonly T[]): T {
  const chosen = choices[Math.floor(random.next() * choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

const anyProcess = (sim: SimCluster, random: Random) => pick(random, [CONTROLLER, ...sim.nodes]);

/** A node with a brick of some volume in the engine, if there is one. */
function anyBrick(sim: SimCluster, random: Random): { readonly node: string; readonly volume: string } | undefined {
  const bricks = [...sim.gluster.state.volumes.values()].flatMap((volume) =>
    volume.bricks.map(({ node }) => ({ node, volume: volume.name })),
  );
  return bricks.length === 0 ? undefined : pick(random, bricks);
}

/** Of connections to the API. */
const CUTS: readonly Fault[] = [
  (sim, random) => {
    const who = anyProcess(sim, random);
    sim.cut(who);
    return () => sim.mend(who);
  },
  (sim, random) => {
    sim.process(anyProcess(sim, random))?.connection.breakWatches();
    return undefined;
  },
  (sim, random) => {
    sim.process(anyProcess(sim, random))?.connection.silenceWatches();
    return undefined;
  },
];

/** Of programs. */
const DEATHS: readonly Fault[] = [
  (sim, random) => {
    sim.kill(anyProcess(sim, random));
    return undefined;
  },
  (sim, random) => {
    const when = pick(random, ['before', 'after'] as const);
    const process = sim.process(anyProcess(sim, random));
    process?.killAtWrite(process.writes() + 1 + Math.floor(random.next() * 4), when);
    return undefined;
  },
  (sim, random) => {
    const node = pick(random, sim.nodes);
    const step = sim.steps(node) + 1 + Math.floor(random.next() * 3);
    sim.crashAtStep(node, { step, when: pick(random, ['before', 'after'] as const) });
    return undefined;
  },
];

/** Of machines, cables and disks. */
const HARD: readonly Fault[] = [
  (sim, random) => {
    const node = pick(random, sim.nodes);
    sim.powerOff(node);
    return () => sim.powerOn(node);
  },
  (sim, random) => {
    const node = pick(random, sim.nodes);
    sim.unplug(node);
    return () => sim.plug(node);
  },
  (sim, random) => {
    const brick = anyBrick(sim, random);
    if (brick !== undefined) sim.gluster.killBrick(brick.node, brick.volume);
    return undefined;
  },
  (sim, random) => {
    const brick = anyBrick(sim, random);
    if (brick !== undefined) sim.gluster.losePort(brick.node, brick.volume);
    return undefined;
  },
  (sim, random) => {
    const brick = anyBrick(sim, random);
    if (brick !== undefined) sim.gluster.breakDisk(brick.node, brick.volume);
    return undefined;
  },
  (sim, random) => {
    const node = pick(random, sim.nodes);
    for (const path of sim.gluster.state.node(node).mounts.keys()) sim.gluster.killMount(node, path);
    return undefined;
  },
];

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults come, in simulated milliseconds. */
  readonly forMs: number;
  readonly hasHardFaults?: boolean;
  /** Connections to the API are cut, broken and silenced. */
  readonly hasCuts?: boolean;
  /** Faults by chance on every call and event. */
  readonly hasRoughConnections?: boolean;
  /** Called after each span of time. */
  readonly onTick?: () => void;
  /** Mean time between two faults. */
  readonly everyMs?: number;
}

/**
 * Breaks things for a while, with a user who writes to the volumes meanwhile, and then mends all that does not mend
 * itself.
 */
export async function runChaos(sim: SimCluster, options: ChaosOptions): Promise<void> {
  const { seed, forMs, everyMs = 2_500 } = options;
  // A source of its own: the same faults whatever the programs draw.
  const random = createSeededRandom(seed * 7_919 + 17);
  const faults = faultsOf(options);
  const { clock } = sim.world;
  const end = clock.monotonic() + forMs;
  if (options.hasRoughConnections !== false) sim.setRates(ROUGH);
  let repairs: readonly { readonly at: number; readonly repair: () => void }[] = [];
  let nextFault = clock.monotonic();
  while (clock.monotonic() < end) {
    const next = Math.min(nextFault, end, ...repairs.map(({ at }) => at));
    await sim.pass(Math.max(1, next - clock.monotonic()));
    const isDue = ({ at }: { readonly at: number }) => at <= clock.monotonic();
    for (const { repair } of repairs.filter(isDue)) repair();
    repairs = repairs.filter((each) => !isDue(each));
    writeAnywhere(sim, random);
    options.onTick?.();
    if (clock.monotonic() < nextFault) continue;
    const repair = pick(random, pick(random, faults))(sim, random);
    const lasts = random.next() < 0.5 ? 1_000 + random.next() * 4_000 : 4_000 + random.next() * 20_000;
    if (repair !== undefined) repairs = [...repairs, { at: clock.monotonic() + lasts, repair }];
    nextFault = clock.monotonic() + random.next() * 2 * everyMs;
  }
  sim.mendAll();
}

function faultsOf({ hasCuts = true, hasHardFaults = true }: ChaosOptions): readonly (readonly Fault[])[] {
  return [DEATHS, ...(hasCuts ? [CUTS] : []), ...(hasHardFaults ? [HARD, HARD] : [])];
}

/** Whoever has a volume mounted writes to it now and then, so that copies that were away have something to catch up. */
function writeAnywhere(sim: SimCluster, random: Random): void {
  for (const node of sim.gluster.state.nodes.values()) {
    for (const mount of node.mounts.values()) {
      const isUsable = node.isOn && mount.isServed && sim.gluster.state.volumes.has(mount.source);
      if (isUsable && random.next() < 0.3)
        sim.gluster.write(node.name, mount.source, 1 + Math.floor(random.next() * 3));
    }
  }
}
