/** Work on what a GlusterFS volume holds, run on one of its nodes. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import type { HealState, VolumeWork } from '../../ports/volume-work.ts';
import { createGlusterCli, type GlusterCli } from './cli.ts';
import { type Argv, healArgv, healSummaryArgv } from './command.ts';
import { isHealLaunched, parseHealInfo } from './parse.ts';

/** What the work needs of its node. */
export interface GlusterWorkDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}

/** Launching takes seconds; heal info waits 10 s and more for a node that is off. */
const HEAL_MS = 120_000;

/** Creates the work of the node whose Host is given. */
export function createGlusterWork(deps: GlusterWorkDeps): VolumeWork {
  const cli = createGlusterCli(deps);
  return {
    startHeal: (volume, { isFull, signal }) => startHeal(cli, volume, healArgv(volume, { isFull }), signal),
    healState: (volume, signal) => healState(cli, volume, signal),
  };
}

async function startHeal(cli: GlusterCli, volume: string, argv: Argv, signal: AbortSignal): Promise<void> {
  const ask = { about: `cannot heal volume ${volume}`, resource: `volume ${volume}`, signal, timeoutMs: HEAL_MS };
  const output = await cli.text(argv, ask);
  if (isHealLaunched(output.stdout)) return;
  const words = `${output.stdout} ${output.stderr}`.trim().replaceAll(/\s+/g, ' ');
  throw new AppError('unavailable', `${ask.about}: gluster says: ${words}`, {
    resource: ask.resource,
    reason: 'HealNotLaunched',
    hint: 'it needs the bricks and self-heal daemons of all nodes of the volume; see: holdfast volume show',
  });
}

async function healState(cli: GlusterCli, volume: string, signal: AbortSignal): Promise<HealState> {
  const ask = { about: `cannot see what is to heal in ${volume}`, resource: `volume ${volume}`, signal };
  const bricks = parseHealInfo(await cli.demand(healSummaryArgv(volume), { ...ask, timeoutMs: HEAL_MS }));
  const silent = bricks.filter((brick) => !brick.isConnected || brick.pending === undefined);
  return {
    pending: silent.length > 0 ? undefined : Math.max(0, ...bricks.map((brick) => brick.pending ?? 0)),
    splitBrain: Math.max(0, ...bricks.map((brick) => brick.splitBrain ?? 0)),
    silent: silent.map((brick) => brick.node),
  };
}
