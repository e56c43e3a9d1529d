/** Whether this machine can mount NFS: its kernel has the client, and mount.nfs is there. */
import { isAppError } from '../../domain/errors.ts';
import type { EngineProbe } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';

const PROGRAM_MS = 10_000;

/** Probes; never throws but when it is aborted. */
export async function probeNfs(host: Host, signal: AbortSignal): Promise<EngineProbe> {
  const away = { isInstalled: false, isRunning: false } as const;
  const helper = await output(host, ['mount.nfs', '-V'], signal);
  if (helper === undefined) return { ...away, message: 'mount.nfs is not there; install nfs-common' };
  if (!(await hasClient(host, signal))) return { ...away, message: 'the kernel has no NFS client (module nfs)' };
  const version = /nfs-utils (\S+?)\)/.exec(helper)?.[1];
  return { isInstalled: true, isRunning: true, ...(version === undefined ? {} : { version }) };
}

/** In the kernel already, or as a module that the first mount loads. */
async function hasClient(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    if (/\tnfs4?$/m.test(await host.files.readText('/proc/filesystems'))) return true;
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
  }
  return (await output(host, ['modprobe', '--dry-run', '--quiet', 'nfs'], signal)) !== undefined;
}

/** Undefined when the program is missing or fails. */
async function output(
  host: Host,
  [file, ...args]: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await host.run({ file, args, timeoutMs: PROGRAM_MS, signal })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (!isRunError(error)) throw error;
    return undefined;
  }
}
