/**
 * How glusterd has to run. As Debian ships it (`option ping-timeout 0` in glusterd.vol) it never notices that a peer was
 * cut off without a word: every command about a volume then hangs for 120 s, and keeps the volume locked for others, until
 * TCP gives up. With a ping-timeout the rest of the pool goes on after it. Measured with GlusterFS 10.3.
 */
import { isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';

/** Seconds. Bricks are stopped by the server quorum when peers seem lost, so a busy machine must not look like a lost one. */
const PING_TIMEOUT = 10;
const CONFIGURATION = '/etc/glusterfs/glusterd.vol';
const LOOK_MS = 10_000;

/** Starts glusterd so that it notices lost peers, whatever its configuration file says. */
export const GLUSTERD_ARGV: readonly string[] = ['glusterd', '--xlator-option', `*.ping-timeout=${PING_TIMEOUT}`];

/** What to change about glusterd on a host; undefined when it is as it should be. */
export async function daemonAdvice(host: Host, signal: AbortSignal): Promise<string | undefined> {
  if (/^\s*option\s+ping-timeout\s+[1-9]/m.test(await readConfiguration(host))) return undefined;
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
