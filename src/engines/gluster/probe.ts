/** Whether GlusterFS can be used on a node. */
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { EngineProbe } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { probeEncryption } from '../image/abilities.ts';
import type { GlusterCli } from './cli.ts';
import { daemonAdvice } from './daemon.ts';
import { isBlank, isRejoining } from './identity.ts';
import { listPool } from './observe-peers.ts';
import { parseVersion } from './parse.ts';

const VERSION_MS = 20_000;

/** Asks for the program and its daemon; never throws for what it finds missing. */
export async function probeGluster(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  signal: AbortSignal,
): Promise<EngineProbe> {
  let version: string | undefined;
  try {
    const output = await host.run({ file: 'gluster', args: ['--version'], timeoutMs: VERSION_MS, signal });
    version = parseVersion(output.stdout);
  } catch (error) {
    signal.throwIfAborted();
    const isMissing = isRunError(error, 'spawn');
    const message = isMissing
      ? `GlusterFS is not installed on ${host.name}; install the packages glusterfs-server and glusterfs-client`
      : `gluster on ${host.name} does not run: ${messageOf(error)}`;
    return { isInstalled: !isMissing, isRunning: false, message };
  }
  const installed = { isInstalled: true, ...(version === undefined ? {} : { version }) };
  try {
    const { selfId } = await listPool(cli, signal);
    const [blank, rejoining] = await Promise.all([isBlank(host), isRejoining(host)]);
    const isPartial = rejoining ? { isRejoining: true } : {};
    const identity = { ...(selfId === undefined ? {} : { id: selfId }), isBlank: blank, ...isPartial };
    const message = await daemonAdvice(host, signal);
    const abilities = await probeEncryption(host, signal);
    return { ...installed, ...identity, isRunning: true, abilities, ...(message === undefined ? {} : { message }) };
  } catch (error) {
    signal.throwIfAborted();
    const hint = isAppError(error) && error.hint !== undefined ? `; ${error.hint}` : '';
    return { ...installed, isRunning: false, message: `${messageOf(error)} (on ${host.name})${hint}` };
  }
}
