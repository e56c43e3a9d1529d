/** Ends the brick process of one copy on this node; the anchor's `start force` brings it back. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import { type CopyIdentity, copyPaths } from '../image/paths.ts';
import type { GlusterCli } from './cli.ts';
import { volumeStatusArgv } from './command.ts';
import { parseVolumeStatus } from './parse.ts';

const KILL_MS = 5_000;
const GONE_DEADLINE_MS = 10_000;
const POLL_MS = 50;

/**
 * Kills the process that GlusterFS names for the copy's brick, after a look at its command line.
 *
 * @throws {AppError} timeout, when it does not end
 */
export async function stopBrick(
  deps: { readonly host: Host; readonly clock: Clock; readonly cli: GlusterCli },
  volume: string,
  copy: CopyIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { host, clock, cli } = deps;
  const path = copyPaths(copy).brick;
  const ask = { about: `cannot look at volume ${volume}`, resource: `volume ${volume}`, signal };
  const bricks = parseVolumeStatus(await cli.demand(volumeStatusArgv(volume), ask), volume);
  const pid = bricks.find((brick) => brick.path === path)?.pid;
  if (pid === undefined || !(await serves(host, pid, path))) return;
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
