/** A machine behind ssh, as a Host: the same use cases act on it as on this machine or on a host of the lab. */
import type { RemoteHost } from '../../ports/remote-host.ts';
import { createHostMounts } from '../host/mounts.ts';
import { createSshConnection, type SshDeps, type SshTarget } from './ssh-connection.ts';
import { createSshFiles } from './ssh-files.ts';
import { createSshProcesses } from './ssh-processes.ts';
import { createSwapText } from './swap-text.ts';

/** Creates the host; `open` connects. */
export function createSshHost(deps: SshDeps, target: SshTarget): RemoteHost {
  const connection = createSshConnection(deps, target);
  const { run } = connection;
  const hostName = target.name;
  const files = createSshFiles({ hostName, run });
  return {
    name: hostName,
    user: target.user,
    run,
    files,
    mounts: createHostMounts({ hostName, run, table: () => files.readText('/proc/self/mountinfo') }),
    processes: createSshProcesses({ clock: deps.clock, hostName, run }),
    open: connection.open,
    upload: connection.upload,
    swapText: createSwapText(run),
    close: connection.close,
  };
}
