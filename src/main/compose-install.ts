/** Composition of the installation: machines behind ssh, and what is copied onto them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { findProgramFiles } from '../adapters/install/release.ts';
import { createApt } from '../adapters/packages/apt.ts';
import { addNodeToPlan } from '../adapters/plan-file/add-node.ts';
import { parsePlan } from '../adapters/plan-file/parse-plan.ts';
import { createSshHost } from '../adapters/ssh/ssh-host.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { isKubeconfigCurrent } from '../adapters/tls/kubeconfig-current.ts';
import { AppError } from '../domain/errors.ts';
import { GLUSTER_PROGRAMS, LUKS_PROGRAMS, NFS_SERVER_PROGRAMS, NODE_PROGRAMS } from '../domain/needed-programs.ts';
import { configureGlusterd, GLUSTERD_ARGV } from '../engines/gluster/index.ts';
import type { ComposedInstall, ComposeInstall } from '../shells/cli/commands/install-context.ts';
import { ownPackageFolder } from './compose-lab.ts';
import { connect } from './connect.ts';
import { VERSION } from './version.ts';

/** Creates everything that installing needs; `close` lets go of it. */
export const composeInstall: ComposeInstall = async ({ assetsFolder, env }): Promise<ComposedInstall> => {
  const clock = createSystemClock();
  const machine = createLocalHost({ clock });
  // Below the system's own folder: the path of a socket must be short.
  const controlFolder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-'));
  const agentSocket = env['SSH_AUTH_SOCK'];
  const ssh = { clock, machine, controlFolder, ...(agentSocket === undefined ? {} : { agentSocket }) };
  return {
    clock,
    operator: async () => ({
      who: `${userInfo().username}@${hostname()}`,
      bootId: (await machine.files.readText('/proc/sys/kernel/random/boot_id')).trim(),
      process: await machine.processes.self(),
      isAlive: (id) => machine.processes.isAlive(id),
    }),
    reach: ({ name, ip }, login) => createSshHost(ssh, { name, address: ip, ...login }),
    packagesOf: (host) => createApt({ host, processes: host.processes, userId: 0 }),
    release: () => findProgramFiles({ packageFolder: ownPackageFolder(), node: process.execPath, version: VERSION }),
    connect,
    keepKubeconfig: async (text) => {
      const path = resolve(assetsFolder, 'kubeconfig');
      await machine.files.makeDirectory(dirname(path), { mode: 0o700 });
      await machine.files.writeText(path, text, { mode: 0o600 });
      return path;
    },
    isKubeconfigCurrent: (text, wanted) => isKubeconfigCurrent(text, { ...wanted, now: clock.now() }),
    neededPrograms: [...GLUSTER_PROGRAMS, ...NODE_PROGRAMS, ...LUKS_PROGRAMS],
    nfsServerPrograms: NFS_SERVER_PROGRAMS,
    engineInForeground: [...GLUSTERD_ARGV, '--no-daemon'],
    configureEngine: configureGlusterd,
    addNode: async (path, node) => {
      const stat = await machine.files.stat(resolve(path));
      const before = await machine.files.readText(resolve(path));
      const text = addNodeToPlan(before, node);
      const plan = parsePlan(new TextEncoder().encode(text), path);
      return {
        plan,
        write: async () => {
          if ((await machine.files.readText(resolve(path))) !== before) throw changedMeanwhile(path);
          await machine.files.writeText(resolve(path), text, { mode: stat?.type === 'file' ? stat.mode : 0o644 });
        },
      };
    },
    close: () => rm(controlFolder, { recursive: true, force: true }),
  };
};

function changedMeanwhile(path: string): AppError {
  return new AppError('conflict', `${path} was changed by somebody else meanwhile; nothing was written`, {
    reason: 'PlanChanged',
    hint: 'look at it, and repeat the command',
  });
}
