/** Ends the brick process of one copy on this node; the anchor's `start force` brings it back. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import { type CopyIdentity, copyPaths } from '../image/paths.ts';
import type { GlusterCli } from './cli.ts';
import { volumeStatusArgv } from './command.ts';
import { parseVolumeStatus, type StatusBrick } from './parse.ts';

const KILL_MS = 5_000;
const GONE_DEADLINE_MS = 10_000;
const POLL_MS = 50;
/** A process registers its port within a second of its start, and again within three of a restart of glusterd. */
const PORT_DEADLINE_MS = 10_000;
const PORT_POLL_MS = 1_000;

interface StopDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly cli: GlusterCli;
}

/**
 * Kills the process that GlusterFS names for the copy's brick, after a look at its command line.
 *
 * @throws {AppError} timeout, when it does not end
 */
export async function stopBrick(
  deps: StopDeps,
  volume: string,
  copy: CopyIdentity,
  signal: AbortSignal,
): Promise<void> {
  const found = await findProcess(deps.cli, { volume, copy }, signal);
  if (found?.pid !== undefined) await kill(deps, found.pid, { volume, copy }, signal);
}

/**
 * Kills the copy's brick process when glusterd goes on for ten seconds without a port for it: clients that come new do not
 * find it, and `start force` leaves it as it is. Seen with GlusterFS 10.3, where servers had lost their quorum and found each
 * other again.
 *
 * @throws {AppError} timeout, when it does not end
 */
export async function endLostBrick(
  deps: StopDeps,
  volume: string,
  copy: CopyIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { clock, cli } = deps;
  const first = await findProcess(cli, { volume, copy }, signal);
  if (first?.pid === undefined || !isLost(first)) return;
  for (const end = clock.monotonic() + PORT_DEADLINE_MS; clock.monotonic() < end; ) {
    await clock.sleep(PORT_POLL_MS, signal);
    const now = await findProcess(cli, { volume, copy }, signal);
    if (now === undefined || now.pid !== first.pid || !isLost(now)) return;
  }
  await kill(deps, first.pid, { volume, copy }, signal);
}

/** True while glusterd has no port for the brick process of a copy that it calls online. */
export async function hasLostPort(
  cli: GlusterCli,
  copy: CopyIdentity & { readonly volume: string },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const found = await findProcess(cli, { volume: copy.volume, copy }, signal);
    return found !== undefined && isLost(found);
  } catch (error) {
    // Whatever glusterd cannot tell now is no fault of the copy; the next look asks again.
    if (isAppError(error)) return false;
    throw error;
  }
}

function isLost({ isOnline, port, pid }: StatusBrick): boolean {
  return isOnline && pid !== undefined && port === undefined;
}

interface Brick {
  readonly volume: string;
  readonly copy: CopyIdentity;
}

async function findProcess(
  cli: GlusterCli,
  { volume, copy }: Brick,
  signal: AbortSignal,
): Promise<StatusBrick | undefined> {
  const ask = { about: `cannot look at volume ${volume}`, resource: `volume ${volume}`, signal };
  const bricks = parseVolumeStatus(await cli.demand(volumeStatusArgv(volume), ask), volume);
  return bricks.find((brick) => brick.path === copyPaths(copy).brick);
}

async function kill(
  { host, clock }: StopDeps,
  pid: number,
  { volume, copy }: Brick,
  signal: AbortSignal,
): Promise<void> {
  const path = copyPaths(copy).brick;
  if (!(await serves(host, pid, path))) return;
  await host.run({ file: 'kill', args: ['-KILL', String(pid)], timeoutMs: KILL_MS, okCodes: [0, 1], signal });
  for (const end = clock.monotonic() + GONE_DEADLINE_MS; await serves(host, pid, path); ) {
    if (clock.monotonic() > end) {
      throw new AppError('timeout', `the brick process ${pid} of ${volume} on ${host.name} does not end`, {
        resource: `volume ${volume}`,
        reason: 'BrickStuck',
        hint: 'its disk may hang; look into the kernel log (dmesg) and restart the node',
      });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/** The process runs and its command line is that of this brick alone. */
async function serves(host: Host, pid: number, path: string): Promise<boolean> {
  const words = (await readCommandLine(host, pid)).split('\0');
  return words[words.indexOf('--brick-name') + 1] === path;
}

async function readCommandLine(host: Host, pid: number): Promise<string> {
  try {
    return await host.files.readText(`/proc/${pid}/cmdline`);
  } catch (error) {
    // It has ended; reading in that moment gives ESRCH, which has no kind of its own.
    if (isAppError(error, 'notFound') || isAppError(error, 'unavailable')) return '';
    throw error;
  }
}
