/**
 * How glusterd has to run, and how it is started and stopped. As Debian ships it (`option ping-timeout 0` in glusterd.vol) it never notices that a peer was
 * cut off without a word: every command about a volume then hangs for 120 s, and keeps the volume locked for others, until
 * TCP gives up. With a ping-timeout the rest of the pool goes on after it. Measured with GlusterFS 10.3.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';

/** Seconds. Bricks are stopped by the server quorum when peers seem lost, so a busy machine must not look like a lost one. */
const PING_TIMEOUT = 10;
const CONFIGURATION = '/etc/glusterfs/glusterd.vol';
const LOOK_MS = 10_000;
const HAS_TIMEOUT = /^\s*option\s+ping-timeout\s+[1-9]/m;
const UNIT = 'glusterd.service';
/** sd_booted(3): this folder is there where systemd is the machine's first process. */
const SYSTEMD = '/run/systemd/system';
/** It starts within a second; on a busy machine that reads many volumes it takes some more. */
const START_MS = 60_000;
/** It ends at once when it is told to; one that hangs has nothing to save. */
const STOP_MS = 10_000;
const POLL_MS = 50;

export interface DaemonDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Starts glusterd so that it notices lost peers, whatever its configuration file says. */
export const GLUSTERD_ARGV: readonly string[] = ['glusterd', '--xlator-option', `*.ping-timeout=${PING_TIMEOUT}`];

/** glusterd.vol with the ping-timeout in it; the same text when it has one, or is no such file. */
export function configureGlusterd(text: string): string {
  if (HAS_TIMEOUT.test(text)) return text;
  const option = `    option ping-timeout ${PING_TIMEOUT}`;
  if (/^\s*option\s+ping-timeout\s/m.test(text)) return text.replace(/^\s*option\s+ping-timeout\s.*$/m, option);
  return text.replace(/^(\s*type\s+mgmt\/glusterd\s*)$/m, `$1\n${option}`);
}

/** What to change about glusterd on a host; undefined when it is as it should be. */
export async function daemonAdvice(host: Host, signal: AbortSignal): Promise<string | undefined> {
  if (HAS_TIMEOUT.test(await readConfiguration(host))) return undefined;
  const args = ['--list-full', '--exact', 'glusterd'];
  const running = await host.run({ file: 'pgrep', args, okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
  if (/\*\.ping-timeout=[1-9]/.test(running.stdout)) return undefined;
  return (
    `glusterd on ${host.name} does not notice nodes that are cut off, and its commands would hang for minutes; ` +
    `set "option ping-timeout ${PING_TIMEOUT}" in ${CONFIGURATION} and restart glusterd (volumes go on meanwhile)`
  );
}

async function readConfiguration(host: Host): Promise<string> {
  try {
    return await host.files.readText(CONFIGURATION);
  } catch (error) {
    if (isAppError(error, 'notFound')) return '';
    throw error;
  }
}

/** Whether glusterd is there; it may still be busy with its start. */
export async function isDaemonRunning(deps: Pick<DaemonDeps, 'host' | 'signal'>): Promise<boolean> {
  return (await daemonPid(deps)) !== undefined;
}

/** Starts glusterd: by its unit where there is systemd, else by hand. No error when it runs. */
export async function startDaemon(deps: DaemonDeps): Promise<void> {
  const { host, signal } = deps;
  if (await hasSystemd(host)) {
    await host.run({ file: 'systemctl', args: ['start', UNIT], timeoutMs: START_MS, signal });
  } else if ((await daemonPid(deps)) === undefined) {
    const [file = '', ...args] = GLUSTERD_ARGV;
    await host.run({ file, args, timeoutMs: START_MS, signal });
  }
}

/**
 * Stops glusterd and returns when it is gone. Bricks and mounts are processes of their own and go on.
 *
 * @throws {AppError} timeout, when the kernel does not let go of it
 */
export async function stopDaemon(deps: DaemonDeps): Promise<void> {
  const { host, signal } = deps;
  if (await hasSystemd(host)) {
    await host.run({ file: 'systemctl', args: ['stop', UNIT], timeoutMs: START_MS, signal });
  }
  // Also where there is systemd: somebody may have started it by hand.
  for (const name of ['TERM', 'KILL']) {
    const pid = await daemonPid(deps);
    if (pid === undefined) return;
    // Exit code 1: it has ended in this moment.
    await host.run({ file: 'kill', args: [`-${name}`, pid], okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
    if (await hasEnded(deps, pid)) return;
  }
  throw new AppError('timeout', `glusterd on ${host.name} does not end, not even when it is killed`, {
    resource: `node ${host.name}`,
    reason: 'EngineStuck',
    hint: 'it waits in the kernel for a disk that does not answer; restart the machine',
  });
}

async function hasEnded(deps: DaemonDeps, pid: string): Promise<boolean> {
  const { clock, signal } = deps;
  for (const end = clock.monotonic() + STOP_MS; clock.monotonic() < end; await clock.sleep(POLL_MS, signal)) {
    if ((await daemonPid(deps)) !== pid) return true;
  }
  return false;
}

async function hasSystemd(host: Host): Promise<boolean> {
  return (await host.files.stat(SYSTEMD)) !== undefined;
}

/** Ends what glusterd has started on this machine, bricks among it; glusterd starts them again. Mounts stay. */
export async function stopServices(deps: DaemonDeps): Promise<void> {
  // Bricks, and of the processes called glusterfs those that are no mounts: self-heal, quota.
  await stopProcesses(deps, (line) => !line.includes('--process-name fuse'));
}

/** Ends the daemons for self-heal and quota alone; `volume start force` starts them again. */
export async function stopHelpers(deps: DaemonDeps): Promise<void> {
  await stopProcesses(deps, (line) => / --volfile-id (shd\/|gluster\/(glustershd|quotad)( |$))/.test(line));
}

type IsMeant = (commandLine: string) => boolean;

async function stopProcesses({ host, clock, signal }: DaemonDeps, isMeant: IsMeant): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const pids = await servicePids({ host, signal }, isMeant);
    if (pids.length === 0) return;
    if (tries > STOP_MS / POLL_MS) {
      throw new AppError('timeout', `daemons of GlusterFS on ${host.name} do not end`, {
        resource: `node ${host.name}`,
        reason: 'EngineStuck',
        hint: 'they wait in the kernel for a disk that does not answer; restart the machine',
      });
    }
    const name = tries < STOP_MS / POLL_MS / 2 ? '-TERM' : '-KILL';
    if (tries === 0 || name === '-KILL') {
      await host.run({ file: 'kill', args: [name, ...pids], okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

async function servicePids(
  { host, signal }: Pick<DaemonDeps, 'host' | 'signal'>,
  isMeant: IsMeant,
): Promise<readonly string[]> {
  const args = ['--list-full', '--exact', '--ns', '1', '--nslist', 'pid', 'glusterfsd|glusterfs'];
  const found = await host.run({ file: 'pgrep', args, okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
  const lines = found.stdout.split('\n').filter((line) => line !== '' && isMeant(line));
  return lines.flatMap((line) => line.split(' ')[0] ?? []);
}

/** Of this machine's own processes only: `--ns 1` leaves out what runs in containers on it. */
async function daemonPid({ host, signal }: Pick<DaemonDeps, 'host' | 'signal'>): Promise<string | undefined> {
  const args = ['--exact', '--ns', '1', '--nslist', 'pid', 'glusterd'];
  const found = await host.run({ file: 'pgrep', args, okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
  return found.stdout.split('\n').find((line) => line !== '');
}
