/** The kernel's own NFS server, in a guest: NFSv3 and NFSv4, for who is there to mount from it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';

/** A client that is told to take up again what it had waits no longer than that. */
const GRACE_SECONDS = '10';
const COMMAND_MS = 60_000;
const machine = createLocalHost({ clock: createSystemClock() });

export interface NfsServer {
  /** Answers nobody from now on, as a machine without power. */
  stop(): Promise<void>;
  /** Answers again, as after its boot. */
  start(): Promise<void>;
}

/**
 * Starts it, for as long as the guest runs; once in a guest.
 *
 * @param clients - of each folder that is exported; whoever they are, their root stays root
 */
export async function startNfsServer(clients: Readonly<Record<string, string>>): Promise<NfsServer> {
  const run = (file: string, ...args: readonly string[]) => machine.run({ file, args, timeoutMs: COMMAND_MS });
  for (const folder of ['/run/rpcbind', '/run/sendsigs.omit.d', '/var/lib/nfs/v4recovery', ...Object.keys(clients)]) {
    await mkdir(folder, { recursive: true });
  }
  const lines = Object.entries(clients).map(
    ([folder, who], index) => `${folder} ${who}(rw,no_root_squash,no_subtree_check,fsid=${index + 1})\n`,
  );
  await writeFile('/etc/exports', lines.join(''));
  await run('mount', '-t', 'nfsd', 'nfsd', '/proc/fs/nfsd');
  await run('rpcbind', '-w');
  await run('exportfs', '-r', '-a');
  await run('rpc.mountd');
  const start = async () =>
    void (await run('rpc.nfsd', '--grace-time', GRACE_SECONDS, '--lease-time', GRACE_SECONDS, '4'));
  await start();
  return { start, stop: async () => void (await run('rpc.nfsd', '0')) };
}
