/**
 * The barrier of GlusterFS (`volume barrier`): while it is up, the bricks do what they are asked, but hold back the answers to
 * fsync, O_SYNC writes, renames, removals and truncations. So nothing that is written because such an answer came is in an
 * image, unless everything before that answer is in every image.
 *
 * Measured with GlusterFS 10.3: `disable` fails ("Failed to reconfigure barrier") when the barrier of any running brick, on
 * whichever node, has fallen by its timeout; a brick that is down is passed over by both commands; one that is started anew
 * begins with the barrier up. So it stood all the time when the same processes ran before and after, and `disable` worked.
 */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RaisedBarrier } from '../../ports/snapshot-engine.ts';
import type { KeyedMutex } from '../image/keyed-mutex.ts';
import type { Ask, GlusterCli } from './cli.ts';
import { barrierArgv, healSummaryArgv, volumeSetArgv, volumeStatusArgv } from './command.ts';
import { findVolume } from './observe-volume.ts';
import { parseHealInfo, parseVolumeStatus, type VolumeInfo } from './parse.ts';

const OPTION = 'features.barrier';
const TIMEOUT_OPTION = 'features.barrier-timeout';
const CHANGE_MS = 20_000;
/** Other commands about a volume take seconds, when a node has just gone away. */
const BUSY_MS = 15_000;
const BUSY_POLL_MS = 50;

interface BarrierDeps {
  readonly clock: Clock;
  readonly cli: GlusterCli;
  readonly locks: KeyedMutex;
}

/** Raises it. @throws {AppError} precondition, when a copy does not serve or is not current */
export async function raiseBarrier(
  { cli, locks, clock }: BarrierDeps,
  volume: string,
  options: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<RaisedBarrier> {
  return locks.run(volume, async () => {
    const ask = asking(volume, options.signal);
    const info = await findVolume(cli, volume, options.signal);
    if (info === undefined) throw refuse(volume, 'GlusterFS holds no such volume');
    await proveCurrent(cli, info, ask);
    const processes = await listProcesses(cli, info, ask);
    const seconds = String(options.seconds);
    if (info.options[TIMEOUT_OPTION] !== seconds) {
      await cli.demand(volumeSetArgv(volume, { [TIMEOUT_OPTION]: seconds }), ask);
    }
    const refusal = await switchBarrier({ cli, clock }, volume, { state: 'enable', ask });
    if (refusal !== undefined) throw refuse(volume, refusal);
    return { processes };
  });
}

/** Lowers it. @throws {AppError} precondition BarrierFell, when `raised` cannot be shown to have stood all the time */
export async function lowerBarrier(
  { cli, locks, clock }: BarrierDeps,
  volume: string,
  options: { readonly raised: RaisedBarrier | undefined; readonly signal: AbortSignal },
): Promise<void> {
  await locks.run(volume, async () => {
    const ask = asking(volume, options.signal);
    const info = await findVolume(cli, volume, options.signal);
    if (info === undefined) {
      if (options.raised === undefined) return;
      throw fell(volume, 'GlusterFS holds the volume no more');
    }
    const wasUp = info.options[OPTION] === 'enable';
    const refusal = wasUp
      ? await switchBarrier({ cli, clock }, volume, { state: 'disable', ask })
      : 'it was down already';
    // It has fallen on a brick. GlusterFS goes on calling it enabled, and a brick started later would begin with it.
    if (wasUp && refusal !== undefined) await cli.demand(volumeSetArgv(volume, { [OPTION]: 'disable' }), ask);
    if (options.raised === undefined) return;
    if (refusal !== undefined) throw fell(volume, `it fell before all images were taken (${refusal})`);
    const now = await listProcesses(cli, info, ask);
    if (now.join() !== options.raised.processes.join()) throw fell(volume, 'a copy stopped or started meanwhile');
  });
}

/**
 * Undefined when GlusterFS did it, else its words. It answers in text, also with --xml, and refuses while another command
 * about the volume is under way.
 */
async function switchBarrier(
  { cli, clock }: Pick<BarrierDeps, 'cli' | 'clock'>,
  volume: string,
  { state, ask }: { readonly state: 'enable' | 'disable'; readonly ask: Ask },
): Promise<string | undefined> {
  for (const end = clock.monotonic() + BUSY_MS; ; ) {
    const { stdout, stderr } = await cli.text(barrierArgv(volume, state), ask);
    const answer = `${stdout} ${stderr}`.trim();
    if (answer.includes('command successful')) return undefined;
    if (!answer.includes('Another transaction') || clock.monotonic() > end) return answer;
    await clock.sleep(BUSY_POLL_MS, ask.signal);
  }
}

/** Marks about a copy that lacks something have the volume's name in them; see clone-image.ts for those made meanwhile. */
async function proveCurrent(cli: GlusterCli, info: VolumeInfo, ask: Ask): Promise<void> {
  if (info.replicaCount < 2) return;
  const bricks = parseHealInfo(await cli.demand(healSummaryArgv(info.name), ask));
  const silent = bricks.filter((brick) => !brick.isConnected || brick.pending === undefined);
  if (silent.length > 0) throw refuse(info.name, `GlusterFS cannot read ${silent.map((each) => each.node).join(', ')}`);
  if (bricks.some((brick) => (brick.splitBrain ?? 0) > 0)) throw refuse(info.name, 'entries differ between the copies');
}

async function listProcesses(cli: GlusterCli, info: VolumeInfo, ask: Ask): Promise<readonly string[]> {
  const status = parseVolumeStatus(await cli.demand(volumeStatusArgv(info.name), ask), info.name);
  return info.bricks.map(({ node, path }) => {
    const row = status.find((each) => each.node === node && each.path === path);
    if (row?.isOnline !== true || row.pid === undefined) throw fell(info.name, `the copy on ${node} does not run`);
    return `${node}:${path}:${row.pid}`;
  });
}

function asking(volume: string, signal: AbortSignal): Ask {
  return { about: `cannot hold back answers of ${volume}`, resource: `volume ${volume}`, signal, timeoutMs: CHANGE_MS };
}

function refuse(volume: string, why: string): AppError {
  return new AppError('precondition', `no barrier for volume ${volume}: ${why}`, {
    resource: `volume ${volume}`,
    reason: 'BarrierRefused',
    hint: `see: holdfast volume show ${volume}`,
  });
}

function fell(volume: string, why: string): AppError {
  return new AppError('precondition', `the barrier of volume ${volume} is not known to have stood: ${why}`, {
    resource: `volume ${volume}`,
    reason: 'BarrierFell',
    hint: 'take another snapshot when the volume is redundant and less busy',
  });
}
