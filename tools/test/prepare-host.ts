/** Gets this machine ready for the levels that need one, the way the product itself does. */
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createApt } from '../../src/adapters/packages/apt.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { isAppError } from '../../src/domain/errors.ts';
import {
  BTRFS_PROGRAMS,
  GLUSTER_PROGRAMS,
  LAB_PROGRAMS,
  LUKS_PROGRAMS,
  type NeededProgram,
  NFS_CLIENT_PROGRAMS,
  NFS_SERVER_PROGRAMS,
  SSHD_PROGRAMS,
} from '../../src/domain/needed-programs.ts';
import { installMissing } from '../../src/usecases/lab/install-missing.ts';
import { whyNoHost } from './levels.ts';

const NEEDED = [
  ...[...LAB_PROGRAMS, ...GLUSTER_PROGRAMS, ...BTRFS_PROGRAMS, ...LUKS_PROGRAMS, ...SSHD_PROGRAMS],
  ...[...NFS_SERVER_PROGRAMS, ...NFS_CLIENT_PROGRAMS],
];

/**
 * Installs what is missing, naming it.
 *
 * @param more - programs that only the caller's tests need
 * @returns why those levels cannot run here, or undefined when they can
 */
export async function prepareHost(more: readonly NeededProgram[] = []): Promise<string | undefined> {
  const reason = whyNoHost();
  if (reason !== undefined) return reason;
  const machine = createLocalHost({ clock: createSystemClock() });
  const packages = createApt({ host: machine, processes: machine.processes, userId: process.getuid?.() ?? -1 });
  try {
    const say = (line: string): void => console.log(line);
    const installed = await installMissing({ packages }, [...NEEDED, ...more], { say });
    console.log(installed.length === 0 ? 'all there' : `installed: ${installed.join(' ')}`);
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.message;
  }
}
