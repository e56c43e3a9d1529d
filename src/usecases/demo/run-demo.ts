/**
 * The demo: three hosts on this machine, a replicated volume, a writer whose every acknowledged record is kept in a ledger
 * elsewhere, a host powered off under it, then the writer's own host, and the proof that nothing was lost.
 */
import type { DemoReport } from '../../domain/demo-report.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import { bringUpHoldfast, type HoldfastLab } from '../lab/bring-up-holdfast.ts';
import { checkLedgerFile } from '../ledger/check.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { areCopiesEqual } from './compare-copies.ts';
import { castOf, type DemoDeps, type Stage } from './stage.ts';
import { waitForMounts, waitUntilDegraded, waitUntilRedundant } from './volume-waits.ts';
import { startWorkload, type Workload } from './workload.ts';

export interface DemoOptions {
  readonly plan: PlanFile;
  readonly labName: string;
  readonly isKept: boolean;
  /** When the demo began, by the monotonic clock: installing packages counts too. */
  readonly startedAt: number;
  /** Told each step as a sentence. */
  readonly say: (line: string) => void;
}

/** Records written between two events, so that each fault meets a writer in full swing. */
const RECORDS_PER_PHASE = 200;

/**
 * Runs the whole demo and removes the lab at the end, unless it is to be kept; also when it fails or is aborted.
 *
 * @throws {AppError} of the step that failed
 */
export async function runDemo(deps: DemoDeps, options: DemoOptions, signal: AbortSignal): Promise<DemoReport> {
  const cast = castOf(options.plan);
  const { say } = options;
  say(`starting a lab of ${cast.hosts.length} hosts`);
  const world = await bringUpHoldfast(
    deps,
    { name: options.labName, hosts: cast.hosts, zones: cast.zones },
    signal,
    say,
  );
  let isLeft = false;
  try {
    const report = await play(deps, options, { cast, world, signal });
    // Only now: a demo that is killed before its end leaves a lab that nobody wants, and the next one removes it.
    if (options.isKept) await world.lab.keep();
    isLeft = options.isKept;
    return report;
  } finally {
    if (!isLeft) {
      say('removing the lab');
      await world.lab.down();
    }
  }
}

async function play(deps: DemoDeps, options: DemoOptions, stage: Stage): Promise<DemoReport> {
  const { clock } = deps;
  const secondsSince = (start: number) => (clock.monotonic() - start) / 1000;
  await mountEverywhere(deps, options, stage);
  const secondsToMounted = secondsSince(options.startedAt);
  options.say(
    `volume ${stage.cast.volume} is mounted at ${stage.cast.mountPath} on every host, ${secondsToMounted.toFixed(1)} s after the start`,
  );

  const workload = await startWorkload(deps, stage);
  try {
    const healSeconds = await powerOffVictim(deps, options, { stage, workload });
    const verdict = await cutWriterAndReadElsewhere(deps, options, { stage, workload });
    const copiesEqual = await bringWriterBackAndCompare(deps, options, stage);
    return {
      acknowledged: verdict.acknowledged,
      lost: verdict.lost.count,
      torn: verdict.torn.count,
      reordered: verdict.reordered.count,
      duplicated: verdict.duplicated.count + verdict.altered.count,
      longestStallSeconds: (verdict.progress.longestStall?.ms ?? 0) / 1000,
      healSeconds,
      secondsToMounted,
      totalSeconds: secondsSince(options.startedAt),
      copiesEqual,
      api: stage.world.server,
      kubeconfig: stage.world.kubeconfig,
      isKept: options.isKept,
    };
  } finally {
    await workload.close();
  }
}

async function mountEverywhere(deps: DemoDeps, options: DemoOptions, { cast, world, signal }: Stage): Promise<void> {
  options.say(`applying the plan: ${cast.hosts.join(', ')} and volume ${cast.volume}`);
  await applyPlan({ client: world.client }, planAt(options.plan, world), { signal });
  await waitForMounts({ client: world.client, clock: deps.clock }, cast, { say: options.say, signal });
}

/** The plan with the addresses that the lab's hosts really have: the lab takes a network that is free on this machine. */
function planAt(plan: PlanFile, { lab }: HoldfastLab): PlanFile {
  if (plan.storage === undefined || plan.storage === null) return plan;
  const nodes = (plan.storage.nodes ?? []).map(({ internalip: _replaced, ...node }) => ({
    ...node,
    ip: lab.addressOf(node.host),
  }));
  return { ...plan, storage: { ...plan.storage, nodes } };
}

interface Act {
  readonly stage: Stage;
  readonly workload: Workload;
}

async function powerOffVictim(deps: DemoDeps, { say }: DemoOptions, { stage, workload }: Act): Promise<number> {
  const { cast, world, signal } = stage;
  const waits = { client: world.client, clock: deps.clock };
  await workload.writeMore(RECORDS_PER_PHASE, signal);
  say(`${workload.acknowledged()} records acknowledged; powering off ${cast.victim}`);
  await world.lab.powerOff(cast.victim);
  await workload.writeMore(RECORDS_PER_PHASE, signal);
  say(`the writer goes on: longest stall so far ${(workload.longestStallMs() / 1000).toFixed(2)} s`);
  await waitUntilDegraded(waits, cast.volume, signal);
  say(`powering ${cast.victim} on again`);
  await world.lab.powerOn(cast.victim);
  const poweredAt = deps.clock.monotonic();
  await waitUntilRedundant(waits, cast.volume, signal);
  const healSeconds = (deps.clock.monotonic() - poweredAt) / 1000;
  say(`all copies are current again, ${healSeconds.toFixed(1)} s after power-on, with the writer running`);
  return healSeconds;
}

async function cutWriterAndReadElsewhere(deps: DemoDeps, { say }: DemoOptions, { stage, workload }: Act) {
  const { cast, world, signal } = stage;
  await workload.writeMore(RECORDS_PER_PHASE, signal);
  say(`cutting the power of ${cast.writer}, where the writer runs: what it had not synced is gone`);
  await world.lab.powerCut(cast.writer);
  await workload.close();
  const { files } = world.lab.host(cast.reader);
  say(`reading everything back on ${cast.reader}`);
  const askedAt = deps.clock.monotonic();
  const verdict = await checkLedgerFile({
    hash: deps.hash,
    readFile: (offset, length) => files.readBytes(workload.path, offset, length),
    readStore: (offset, length) => deps.machine.files.readBytes(workload.storePath, offset, length),
    storePath: workload.storePath,
  });
  const seconds = ((deps.clock.monotonic() - askedAt) / 1000).toFixed(1);
  say(
    `${verdict.found} of ${verdict.acknowledged} acknowledged records are there; reading took ${seconds} s, most of it until GlusterFS gave the silent host up`,
  );
  return verdict;
}

async function bringWriterBackAndCompare(deps: DemoDeps, { say }: DemoOptions, stage: Stage): Promise<boolean> {
  const { cast, world, signal } = stage;
  const waits = { client: world.client, clock: deps.clock };
  await waitUntilDegraded(waits, cast.volume, signal);
  say(`powering ${cast.writer} on again`);
  await world.lab.powerOn(cast.writer);
  await waitUntilRedundant(waits, cast.volume, signal);
  const { items } = await world.client.list('VolumeCopy', { signal });
  const copies = items
    .filter((copy) => copy.spec.volume === cast.volume && copy.spec.role === 'data')
    .map((copy) => ({ host: world.lab.host(copy.spec.node), path: copy.status?.path ?? '' }));
  const areEqual = await areCopiesEqual(copies, signal);
  say(areEqual ? `all ${copies.length} copies are equal` : 'the copies are NOT equal');
  return areEqual;
}
